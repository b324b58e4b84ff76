"""What `preflight permissions` tests: a principal as AWS sees it, or documents as AWS would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from preflight.cli.asked import Asked, connected
from preflight.errors import Refused, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from preflight.aws import Aws
    from preflight.check import Answer, Context
    from preflight.finding import Coverage
    from preflight.plan import Plan
    from preflight.policy import Policy
    from preflight.spec import ClusterSpec


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
    from checks.builtin import CHECKS
    from preflight import profile
    from preflight.check import Context
    from preflight.facts import Facts

    owner = plan.owner
    facts = Facts(
        account=owner.account, partition=owner.partition, region=owner.region, principal=""
    )
    return Context(
        spec=spec,
        profile=profile.load(spec.vendor),
        plan=plan,
        facts=facts,
        aws=aws,
        caller=aws,
        checks=CHECKS,
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
