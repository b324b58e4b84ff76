"""What `preflight permissions` writes: the least policies, or the vendor's own list."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from preflight.cli.asked import Asked
from preflight.errors import UsageError

if TYPE_CHECKING:
    from preflight.plan import Plan


class Format(StrEnum):
    """What the policies are written as."""

    JSON = "json"
    TERRAFORM = "terraform"
    CLOUDFORMATION = "cloudformation"


def write_least(asked: Asked, form: Format, folder: Path | None, *, sweep: bool) -> None:
    """Write the least policies and their boundary."""
    from preflight.cli.needs import drawn, least_of
    from preflight.cli.templates import Wanted

    plan = drawn(asked.spec(), asked)
    found = least_of(plan, sweep=sweep)
    boundary = (f"preflight-{plan.owner.eks_name}-boundary", found.boundary)
    _write(asked, plan, Wanted(policies=found.policies, boundary=boundary), form, folder)


def write_managed(asked: Asked, folder: Path | None) -> None:
    """Write what the vendor asks for, and say what that means."""
    from preflight import profile
    from preflight.cli.needs import partition_of
    from preflight.cli.show import say
    from provision.blueprint.vendor_role import inline

    spec = asked.spec()
    vendor = profile.load(spec.vendor)
    if vendor.role is None:
        raise UsageError(f"{vendor.title} asks for no permissions")
    named = vendor.role.managed_policies
    if "IAMFullAccess" in named or "iam:*" in vendor.role.actions:
        say(
            "warning: it lets its holder change every user, role and policy of the account, and so"
            " become anybody; the least policies do not",
            asked,
        )
    document = inline(vendor.role)
    arns = list(vendor.role.managed_policy_arns(partition_of(spec.region)))
    _put({"managed_policy_arns": arns, "inline": document}, folder, {"inline": document})


def _write(asked: Asked, plan: Plan, wanted: Any, form: Format, folder: Path | None) -> None:
    from preflight.cli import templates

    boundary = dict([wanted.boundary]) if wanted.boundary else {}
    if asked.outputs:
        _report(asked, plan, {"policies": dict(wanted.policies), "boundary": boundary})
    elif form is Format.TERRAFORM:
        _put_text(templates.terraform(wanted), folder, "permissions.tf")
    elif form is Format.CLOUDFORMATION:
        _put_text(templates.cloudformation(wanted), folder, "permissions.template.json")
    else:
        shown = {"policies": dict(wanted.policies), "boundary": boundary}
        _put(shown, folder, {**wanted.policies, **boundary})


def _report(asked: Asked, plan: Plan, policy: dict[str, Any]) -> None:
    from preflight.cli.assemble import report
    from preflight.cli.show import outputs, show
    from reports.view import Kind, Outcome

    outputs(asked)
    owner = plan.owner
    show(
        report(
            Kind.PERMISSIONS,
            Outcome.DONE,
            asked=asked,
            account=owner.account,
            region=owner.region,
            cluster=owner.cluster,
            policy=policy,
        ),
        asked,
    )


def _put(shown: dict[str, Any], folder: Path | None, documents: dict[str, Any]) -> None:
    if folder is None:
        typer.echo(json.dumps(shown, indent=2))
        return
    for name, document in documents.items():
        _put_text(json.dumps(document, indent=2) + "\n", folder, f"{name}.json")


def _put_text(text: str, folder: Path | None, name: str) -> None:
    if folder is None:
        typer.echo(text, nl=False)
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    typer.echo(str(folder / name))
