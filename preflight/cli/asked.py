"""What the command line asked for, and what is made ready from it: spec, AWS, facts, plan."""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preflight.errors import AwsError, Refused, UsageError

if TYPE_CHECKING:
    from preflight.aws import Aws, Calls
    from preflight.check import Context
    from preflight.gate import Waiver
    from preflight.profile import Profile
    from preflight.spec import ClusterSpec

DEFAULT_FILE = Path("cluster.yaml")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The shared options of one command, as given."""

    name: str | None = None
    file: Path | None = None
    region: str | None = None
    instance_types: str | None = None
    role_arn: str | None = None
    external_id: str | None = field(default=None, repr=False)
    account: str | None = None
    vendor: str | None = None
    aws_profile: str | None = None
    sandbox: bool = False
    outputs: tuple[str, ...] = ()
    quiet: bool = False
    verbose: bool = False
    color: bool = True
    yes: bool = False
    strict: bool = False
    waive: tuple[str, ...] = ()
    plugins: bool = True
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Asked:
        """Take the shared options out of a command's own: `Asked.of(locals())`."""
        renamed = {
            "aws_profile": options.get("profile"),
            "outputs": tuple(options.get("output") or ()),
            "color": not options.get("no_color", False),
            "plugins": not options.get("no_plugins", False),
            "waive": tuple(options.get("waive") or ()),
        }
        shared = {each.name for each in fields(cls)}
        return cls(**{name: options[name] for name in shared & options.keys()} | renamed)

    def spec(self) -> ClusterSpec:
        """Read the spec, flags over file; raises `SpecError`."""
        from preflight import spec

        file = self.file or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
        if file is None and self.name is None:
            raise UsageError("which cluster?", "give a NAME, or `-f cluster.yaml`")
        flags: spec.Flags = {
            "name": self.name,
            "region": self.region or self._region_of_environment(file),
            "instance_types": self.instance_types,
            "role_arn": self.role_arn,
            "external_id": self.external_id,
            "account": self.account,
            "vendor": self.vendor,
        }
        return spec.with_flags(None, **flags) if file is None else spec.load(file, **flags)

    def _region_of_environment(self, file: Path | None) -> str | None:
        """Take the Region every AWS tool would take, unless the file names one."""
        if file is not None:
            from preflight import yamlfile

            content = yamlfile.load(file).value
            if isinstance(content, dict) and content.get("region"):
                return None
        return configured_region(self.aws_profile)

    def waivers(self, spec: ClusterSpec) -> tuple[Waiver, ...]:
        """Read `--waive CHECK=REASON` and the spec's own waivers."""
        from preflight.gate import Waiver

        found = [Waiver(check=one.check, reason=one.reason) for one in spec.waive]
        for text in self.waive:
            check, equals, reason = text.partition("=")
            if not equals or not reason.strip():
                raise UsageError(f"--waive {text} gives no reason", "write CHECK=REASON")
            found.append(Waiver(check=check.strip(), reason=reason.strip()))
        return tuple(found)


def configured_region(profile: str | None) -> str | None:
    """Give the Region of the environment or of the AWS configuration, where there is one."""
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if named:
        return named
    from preflight.aws import configured_region as from_configuration

    return from_configuration(profile)


@dataclass(frozen=True, kw_only=True)
class Ready:
    """All that a command works with."""

    asked: Asked
    spec: ClusterSpec
    profile: Profile
    context: Context

    @property
    def aws(self) -> Aws:
        """Acts as the principal that builds."""
        return self.context.aws

    @property
    def calls(self) -> Calls:
        """Every call made so far, by anybody."""
        return self.context.aws.calls


def prepare(asked: Asked) -> Ready:
    """Read the spec, find out who is calling, look at the account, and draw the plan."""
    from preflight import profile as profiles
    from preflight.check import Context
    from preflight.facts import look
    from provision.blueprint import draw

    spec = asked.spec()
    profile = profiles.load(spec.vendor)
    caller, aws, role_error = connect(spec, asked.aws_profile)
    assumed = spec.role_arn if role_error is None else None
    facts = look(aws, tuple(wanted.type for wanted in spec.instance_types), assumed)
    context = Context(
        spec=spec,
        profile=profile,
        plan=draw(spec, facts),
        facts=facts,
        aws=aws,
        caller=caller,
        role_error=role_error,
    )
    return Ready(asked=asked, spec=spec, profile=profile, context=context)


def connect(spec: ClusterSpec, aws_profile: str | None) -> tuple[Aws, Aws, AwsError | None]:
    """Give the caller and the principal that works: the role when one is named.

    A role that cannot be assumed is not the end of a check: the checks say why, as the caller.
    """
    from preflight.aws import while_fresh

    caller = connected(spec.region, aws_profile)
    _ = caller.identity
    if spec.role_arn is None:
        return caller, caller, None
    try:
        arn, external_id = spec.role_arn, spec.external_id
        role = while_fresh(caller, arn, lambda: caller.assume(arn, external_id))
    except AwsError as error:
        return caller, caller, error
    return caller, role, None


def connected(region: str, aws_profile: str | None) -> Aws:
    """Connect to a Region that exists: the address of any other would never answer.

    Raises `UsageError` for a name that no partition of AWS has.
    """
    from preflight.aws import Aws, known_regions

    known = known_regions()
    if region not in known:
        near = difflib.get_close_matches(region, known, n=3)
        raise UsageError(
            f"AWS has no Region {region!r}",
            (f"did you mean {' or '.join(near)}? " if near else "")
            + "A Region newer than this installation: `pip install --upgrade botocore`",
        )
    return Aws(region, profile=aws_profile)


def insist(ready: Ready) -> None:
    """Refuse to change anything in the wrong account, or as anybody but the role asked for."""
    if ready.context.role_error is not None:
        raise ready.context.role_error
    expected, actual = ready.spec.account, ready.aws.identity.account
    if expected is not None and expected != actual:
        raise Refused(
            f"these credentials belong to account {actual}, not {expected}",
            "choose others with --profile or AWS_PROFILE",
        )


@contextmanager
def environment(asked: Asked) -> Iterator[None]:
    """Run on the embedded AWS when `--sandbox` asks for it, and on the real one otherwise."""
    if not asked.sandbox:
        yield
        return
    from preflight.cli.embedded import embedded

    with embedded() as sandbox:
        before = dict(os.environ)
        os.environ.update(sandbox.environment())
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
