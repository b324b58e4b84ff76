"""What this machine has to have: Python, a folder, a way to AWS, and none of the usual tools."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from preflight.check import Answer, Context, check
from preflight.finding import Status
from preflight.state import default_folder

LEAST = (3, 11)
#: What vendors' instructions ask for; Preflight makes roles and cluster by itself.
NOT_NEEDED = ("git", "terraform", "jq", "AWS CLI")


@check(
    "prerequisites",
    "This machine has what Preflight needs",
    why=(
        "The journal is written before every call, so that a build that is killed can go on: "
        "without a folder to write in there is no build."
    ),
    fix="Give write access to the state folder, or set XDG_STATE_HOME to another one.",
    url="https://specifications.freedesktop.org/basedir-spec/latest/",
    actions=("sts:GetCallerIdentity",),
)
def prerequisites(context: Context) -> Iterator[Answer]:
    """Look at this machine; clock and network need AWS, which has answered by now."""
    yield Answer(
        status=Status.PASS,
        subject="tools",
        message=f"{', '.join(NOT_NEEDED)} are not needed",
        data={"not_needed": list(NOT_NEEDED)},
    )
    yield _python(sys.version_info[:3])
    yield _folder(default_folder())
    # AWS refuses signatures that are more than five minutes off, so an answer proves the clock, and
    # the way to it. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
    account, endpoint = context.caller.identity.account, context.caller.endpoint("sts")
    yield Answer(
        status=Status.PASS,
        subject="network",
        message=f"AWS is reached: {endpoint} answers",
        data={"endpoint": endpoint},
    )
    yield Answer(
        status=Status.PASS,
        subject="clock",
        message=f"AWS accepts the clock of this machine: it answers for account {account}",
    )


def _python(version: tuple[int, ...]) -> Answer:
    text = ".".join(str(part) for part in version)
    if version >= LEAST:
        return Answer(status=Status.PASS, subject="python", message=f"Python {text} runs Preflight")
    wanted = ".".join(str(part) for part in LEAST)
    return Answer(
        status=Status.FAIL,
        subject="python",
        message=f"Python {text} is too old",
        hint=f"install Python {wanted} or later",
    )


def _folder(folder: Path) -> Answer:
    """Judge the state folder without making it: the nearest folder that exists has to be ours."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    facts = {"folder": str(folder)}
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        message = f"the journal can be written under {folder}"
        return Answer(status=Status.PASS, subject="state folder", message=message, data=facts)
    return Answer(
        status=Status.FAIL,
        subject="state folder",
        message=f"nothing can be written under {folder}: {existing} is closed to this user",
        hint=f"chmod u+rwx {existing}, or set XDG_STATE_HOME to a folder of your own",
        data=facts,
    )
