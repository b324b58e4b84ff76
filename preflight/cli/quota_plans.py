"""Judges what plans take of quotas: several clusters together, and what their vendors ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from preflight.cli import quota_findings as say
from preflight.cli.quota_audit import Audit
from preflight.cli.quota_places import Unseen
from preflight.errors import UsageError
from preflight.finding import Finding, Severity, Status

if TYPE_CHECKING:
    from preflight.cli.asked import Ready
    from preflight.quota import Key, Quota
    from preflight.quotas.audit import Row, Thresholds


def of_plans(
    ready: Sequence[Ready], quotas: Sequence[Quota], thresholds: Thresholds, *, deep: bool
) -> Audit:
    """Judge what several planned clusters take together, and what their vendors ask for."""
    readable, unseen = _readable(ready)
    _refuse_twice(readable)
    groups: dict[tuple[str, str], list[Ready]] = {}
    for each in _sharing(readable):
        groups.setdefault((each.context.facts.account, each.spec.region), []).append(each)
    rows: list[Row] = []
    more: list[Finding] = []
    for number, ((account, _), group) in enumerate(groups.items()):
        first = number == [key[0] for key in groups].index(account)
        of_account = [one for key, some in groups.items() if key[0] == account for one in some]
        needs = _needs(group, of_account if first else (), quotas)
        rows += _rows_of(group[0], account, needs, thresholds, deep=deep)
        more += [finding for one in group for finding in _besides(one, quotas)]
    return Audit(
        rows=tuple(rows), unseen=unseen, more=tuple({each.id: each for each in more}.values())
    )


def _readable(ready: Sequence[Ready]) -> tuple[list[Ready], tuple[Unseen, ...]]:
    """Part the plans of accounts whose role cannot be assumed: nobody sees their quotas."""
    readable, unseen = [], []
    for each in ready:
        error, role = each.context.role_error, each.spec.role_arn or ""
        if error is None or f":{each.context.facts.account}:" in role:
            readable.append(each)
        else:
            account = role.split(":")[4]
            unseen.append(Unseen(account=account, region=each.spec.region, error=error))
    return readable, tuple(unseen)


def _refuse_twice(ready: Sequence[Ready]) -> None:
    seen: set[tuple[str, str, str]] = set()
    for each in ready:
        cluster = (each.context.facts.account, each.spec.region, each.spec.name)
        if cluster in seen:
            raise UsageError(
                f"two specs plan the cluster {each.spec.name} in {each.spec.region}",
                "give each cluster a name of its own",
            )
        seen.add(cluster)


def _sharing(ready: Sequence[Ready]) -> list[Ready]:
    """Let the plans of one account share one connection, and so one rate of asking."""
    first: dict[tuple[str, str | None], Ready] = {}
    shared = []
    for each in ready:
        one = first.setdefault((each.context.facts.account, each.spec.role_arn), each)
        if one is not each:
            region = each.spec.region
            aws = one.aws.at(region)
            caller = aws if one.context.caller is one.aws else one.context.caller.at(region)
            context = replace(each.context, aws=aws, caller=caller)
            each = replace(each, context=context)  # noqa: PLW2901
        shared.append(each)
    return shared


def _needs(
    group: Sequence[Ready], of_account: Sequence[Ready], quotas: Sequence[Quota]
) -> dict[Key, float | None]:
    """Add up the Region's needs of a group, and the global ones of the whole account."""
    from preflight.quotas.audit import is_global, together

    def taken(ready: Sequence[Ready], *, globally: bool) -> dict[Key, float | None]:
        return together(
            (
                one.spec.name,
                {
                    key: amount
                    for key, amount in one.context.plan.demands.items()
                    if is_global(key[0]) == globally and key[0] in quotas
                },
            )
            for one in ready
        )

    return taken(group, globally=False) | taken(of_account, globally=True)


def _rows_of(
    ready: Ready,
    account: str,
    needs: dict[Key, float | None],
    thresholds: Thresholds,
    *,
    deep: bool,
) -> list[Row]:
    from checks.quotas import sources
    from preflight.quotas.audit import judge_row
    from preflight.quotas.figures import read_figures

    usage, limits = sources(ready.context)
    usage.deep = deep
    figures = read_figures(needs, usage, limits, planned=True)
    region = ready.spec.region
    return [
        judge_row(account, region, each, needs[each.quota, each.within], thresholds)
        for each in figures
    ]


def _besides(ready: Ready, quotas: Sequence[Quota]) -> list[Finding]:
    """Give what the vendor asks for, and what the plan itself could not find out."""
    from checks.quotas import quota_vendor, without_quota
    from preflight import gate

    codes = {quota.code for quota in quotas}
    vendor = gate.run([quota_vendor], ready.context).findings
    found = [each for each in vendor if each.data.get("code", None) in codes]
    found += [
        Finding(
            check=say.CHECK,
            status=answer.status,
            subject=f"{ready.spec.name} {answer.subject}",
            message=answer.message,
            severity=Severity.MEDIUM,
            url=say.URL,
        )
        for answer in without_quota(ready.context)
    ]
    found += [
        Finding(
            check=say.CHECK,
            status=Status.UNKNOWN,
            subject=f"{ready.spec.name} {gap.what}",
            message=f"the plan does not know its {gap.what}: {gap.message}",
            hint=f"allow {gap.missing_action}" if gap.missing_action else None,
            severity=Severity.MEDIUM,
            data={"missing_action": gap.missing_action},
        )
        for gap in ready.context.facts.gaps
    ]
    return found
