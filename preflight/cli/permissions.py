"""`preflight permissions`: the policy a plan needs, and whether a principal has what it needs."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from preflight.cli import options as o
from preflight.cli.asked import Asked, connected, environment
from preflight.errors import Refused, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from preflight.aws import Aws
    from preflight.check import Answer, Context
    from preflight.finding import Coverage
    from preflight.plan import Plan
    from preflight.policy import Policy
    from preflight.spec import ClusterSpec


class Format(StrEnum):
    """What the policies are written as."""

    JSON = "json"
    TERRAFORM = "terraform"
    CLOUDFORMATION = "cloudformation"


def permissions(
    name: o.Name = None,
    file: o.SpecFile = None,
    region: o.Region = None,
    instance_types: o.InstanceTypes = None,
    account: o.Account = None,
    vendor: o.Vendor = None,
    profile: o.AwsProfile = None,
    sandbox: o.OnSandbox = False,
    form: Annotated[
        Format, typer.Option("--format", help="What the policies are written as.")
    ] = Format.JSON,
    folder: Annotated[
        Path | None,
        typer.Option("--to", help="Write each document to a file there.", show_default=False),
    ] = None,
    managed: Annotated[
        bool, typer.Option("--managed", help="The vendor's own list instead of the least.")
    ] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Add what `scan --delete` needs for strays.")
    ] = False,
    principal: Annotated[
        str | None,
        typer.Option("--principal", help="Test this user or role instead.", show_default=False),
    ] = None,
    offline: Annotated[
        list[Path] | None,
        typer.Option(
            "--offline", help="Test these policy documents; AWS is not asked.", show_default=False
        ),
    ] = None,
    boundary: Annotated[
        Path | None,
        typer.Option("--boundary", help="Boundary for --offline.", show_default=False),
    ] = None,
    output: o.Outputs = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Write the smallest policies a cluster needs, or test whether a principal has them."""
    asked = Asked(
        name=name,
        file=file,
        region=region,
        instance_types=instance_types,
        account=account,
        vendor=vendor,
        aws_profile=profile,
        sandbox=sandbox,
        outputs=tuple(output or ()),
        quiet=quiet,
        verbose=verbose,
        color=not no_color,
    )
    testing = principal is not None or bool(offline)
    if managed and form is not Format.JSON:
        raise UsageError(
            f"--managed has no --format {form}", f"preflight role export --format {form}"
        )
    if managed and testing:
        raise UsageError("--managed writes a policy, --principal and --offline test one")
    if boundary is not None and not offline:
        raise UsageError("--boundary is for --offline: AWS knows that of a --principal")
    with environment(asked):
        if testing:
            test(asked, principal, tuple(offline or ()), boundary)
        elif managed:
            write_managed(asked, folder)
        else:
            write_least(asked, form, folder, sweep=sweep)


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


def test(
    asked: Asked, principal: str | None, documents: tuple[Path, ...], boundary: Path | None
) -> None:
    """Test a principal as AWS sees it, or documents as AWS would."""
    from checks.permissions import permissions as simulating
    from preflight import gate
    from preflight.aws import Calls
    from preflight.check import Check
    from preflight.cli.assemble import gate_outcome, report
    from preflight.cli.needs import account_of, drawn
    from preflight.cli.show import outputs, show
    from reports.view import Kind

    outputs(asked)
    spec = asked.spec()
    if principal is not None and spec.account not in {None, account_of(principal)}:
        raise Refused(f"{principal} is not of account {spec.account}", "correct one of the two")
    plan = drawn(_in_account(spec, principal), asked)
    arn = principal or f"arn:{plan.owner.partition}:iam::{plan.owner.account}:role/builder"
    aws = connected(spec.region, asked.aws_profile)
    policies = tuple(_read(path) for path in documents)
    limit = _read(boundary) if boundary is not None else None

    def ask(context: Context) -> Iterable[Answer | Coverage]:
        if policies:
            from checks.offline import of_documents

            return of_documents(context, arn, policies, limit)
        return _simulated(context, arn)

    check = Check(
        id=simulating.id,
        title=simulating.title,
        ask=ask,
        why=simulating.why,
        fix=simulating.fix,
        url=simulating.url,
    )
    verdict = gate.run([check], _context(spec, plan, aws))
    show(
        report(
            Kind.PERMISSIONS,
            gate_outcome(verdict),
            asked=asked,
            calls=aws.calls if not policies else Calls(),
            complete=verdict.complete,
            account=plan.owner.account,
            region=spec.region,
            cluster=spec.name,
            findings=verdict.findings,
            coverage=verdict.coverage,
        ),
        asked,
    )


def _in_account(spec: ClusterSpec, principal: str | None) -> ClusterSpec:
    from dataclasses import replace

    from preflight.cli.needs import account_of

    if principal is None or spec.account is not None:
        return spec
    return replace(spec, account=account_of(principal))


def _context(spec: ClusterSpec, plan: Plan, aws: Aws) -> Context:
    from preflight import profile
    from preflight.check import Context
    from preflight.facts import Facts

    owner = plan.owner
    facts = Facts(
        account=owner.account, partition=owner.partition, region=owner.region, principal=""
    )
    return Context(
        spec=spec, profile=profile.load(spec.vendor), plan=plan, facts=facts, aws=aws, caller=aws
    )


def _simulated(context: Context, arn: str) -> Iterable[Answer | Coverage]:
    from checks import not_simulated
    from checks.permissions import of_entity
    from checks.principal import Entity, Principal, PrincipalKind, entity
    from checks.root import root

    if ":iam:" in arn and (":role/" in arn or ":user/" in arn):
        return of_entity(context, Entity(arn=arn))
    who = Principal.of(arn)
    if who.kind is PrincipalKind.ROOT:
        return root(context)
    behind = entity(who, context.aws)
    return [not_simulated.no_entity(who)] if behind is None else of_entity(context, behind)


def _read(path: Path) -> Policy:
    from preflight.policy import Policy

    try:
        return Policy.parse(path.read_text("utf-8"), id=str(path))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
