"""Will the plan fit into the account's quotas, and are they what the vendor asks for?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checks import quota_text as text
from preflight.check import Answer, Context, check
from preflight.errors import AwsError
from preflight.facts import Gap
from preflight.finding import Coverage, Status
from preflight.profile import RequiredQuota
from preflight.quota import Fit, Key, Limit, Quota, judge, to_request
from preflight.quotas.catalogue import CATALOGUE, EGRESS_ONLY_GATEWAYS, by_key, vcpu_quota
from preflight.quotas.families import why_none
from preflight.quotas.figures import NEW, Figure, read_figures
from preflight.quotas.limits import ACTIONS, Limits, Unknown
from preflight.quotas.usage import Usage

URL = "https://docs.aws.amazon.com/servicequotas/latest/userguide/request-quota-increase.html"
#: What a plan never takes is not counted either, and needs no permission.
_SELDOM = frozenset(
    {"ebs", "elasticloadbalancing", "fargate", "route53resolver", str(EGRESS_ONLY_GATEWAYS)}
)
COUNTING = frozenset[str]().union(
    *(q.actions for q in CATALOGUE if q.scope not in NEW and not {q.service, str(q)} & _SELDOM)
)


def sources(context: Context) -> tuple[Usage, Limits]:
    """Share one reading of the account between the checks.

    A vendor's role seldom may read quotas, and limits do not depend on who asks: the caller looks
    first where it belongs to the account, and the role where the caller may not.
    """

    def made() -> tuple[Usage, Limits]:
        first, second = context.aws, None
        if context.caller is not context.aws and _same_account(context):
            first, second = context.caller, context.aws
        usage = Usage(first, context.once, also=second)
        wanted = {quota for quota, _ in context.plan.demands} | _wanted_by_vendor(context)
        return usage, Limits(first, usage, wanted)

    return context.once.get("quotas", made)


def _same_account(context: Context) -> bool:
    try:
        return context.caller.identity.account == context.facts.account
    except AwsError:
        return False


@check(
    "quota-plan",
    "Everything the plan makes fits into the account's quotas",
    why=(
        "AWS refuses what exceeds a quota when it is created, which for a cluster can be after"
        " twenty minutes and with half of it built."
    ),
    fix="Request a higher limit, delete what is no longer used, or plan smaller.",
    url=URL,
    actions=ACTIONS | COUNTING,
)
def quota_plan(context: Context) -> Iterator[Answer | Coverage]:
    """Judge every demand of the plan against limit and use."""
    needs = {key: amount for key, amount in context.plan.demands.items() if amount != 0}
    usage, limits = sources(context)
    figures = read_figures(needs, usage, limits, planned=True)
    answers = [_fits(each, needs[each.quota, each.within], context) for each in figures]
    answers += without_quota(context)
    if not answers:
        yield Answer(
            status=Status.SKIP, subject="plan", message="the plan takes nothing of any quota"
        )
        return
    yield from answers
    yield text.coverage("quota-plan", answers, figures)


def _fits(figure: Figure, needed: float | None, context: Context) -> Answer:
    limit = figure.limit.value if isinstance(figure.limit, Limit) else None
    used = _known_use(figure, limit, needed)
    fit = judge(limit, used, needed)
    if fit is Fit.UNKNOWN or used is None or needed is None:
        return _not_judged(figure, needed, context)
    what = f"{text.stands(figure)}; the plan takes {text.amount(needed, figure.quota)}"
    subject = text.subject(figure)
    left = (limit or 0.0) - used - needed
    if fit is Fit.SHORT:
        request = to_request(figure.quota, used, needed)
        return Answer(
            status=Status.FAIL,
            subject=subject,
            message=f"{what}: {text.number(-left)} too many{text.softer(figure)}",
            hint=text.how_to_raise(figure, request),
            severity=text.severity(figure),
            data=figure.numbers(needed, request),
        )
    # A VPC or a node group has its limit to itself: the next one starts anew.
    tight = fit is Fit.TIGHT and figure.quota.scope not in NEW
    return Answer(
        status=Status.WARN if tight else Status.PASS,
        subject=subject,
        message=f"{what} and leaves {text.number(left)}",
        hint="request more before the next cluster" if tight else None,
        data=figure.numbers(needed),
    )


def _known_use(figure: Figure, limit: float | None, needed: float | None) -> float | None:
    if not isinstance(figure.used, Unknown):
        return figure.used
    seen = figure.used.at_least
    # What was seen of a long list already is too much: no need to know the rest.
    short = seen is not None and judge(limit, seen, needed) is Fit.SHORT
    return seen if short else None


def _not_judged(figure: Figure, needed: float | None, context: Context) -> Answer:
    unknowns = [each for each in (figure.limit, figure.used) if isinstance(each, Unknown)]
    if needed is None:
        unknowns += _why_not_planned(context.facts.gaps)
    long_lists = [each for each in unknowns if each.at_least is not None]
    name, amount = figure.quota.name, text.amount(needed, figure.quota)
    if unknowns == long_lists:
        return Answer(
            status=Status.SKIP,
            subject=text.subject(figure),
            message=f"{text.stands(figure)}; {unknowns[0].message}; the plan takes {amount}",
            hint="`preflight quotas --deep` counts them all",
            data=figure.numbers(needed),
        )
    return text.unknown(
        text.subject(figure),
        f"whether the plan fits into {name} is not known",
        unknowns,
        figure.numbers(needed),
    )


def _why_not_planned(gaps: Iterable[Gap]) -> list[Unknown]:
    why = "the plan could not tell how much it takes"
    return [
        Unknown(message=f"{why}: {gap.what}: {gap.message}", missing_action=gap.missing_action)
        for gap in gaps
    ] or [Unknown(message=why)]


def without_quota(context: Context) -> list[Answer]:
    """Speak of the instance types asked for whose vCPU quota does not exist or is not known."""
    return [
        text.unknown(
            f"{wanted.type} {capacity}",
            f"whether {wanted.type} fits is not known",
            [Unknown(message=why_none(wanted.type, capacity.value))],
            {},
        )
        for wanted in context.spec.instance_types
        for capacity in wanted.capacity
        if vcpu_quota(wanted.type, capacity.value) is None
    ]


@check(
    "quota-vendor",
    "The account's quotas are as high as the vendor asks for",
    why=(
        "The vendor has seen clusters fail or stop growing below these limits; the head-room is"
        " what it takes to build one."
    ),
    fix="Request higher limits, or delete what is no longer used where head-room is missing.",
    url=URL,
    actions=ACTIONS | COUNTING,
)
def quota_vendor(context: Context) -> Iterator[Answer | Coverage]:
    """Compare limits with the recommended ones, and what is free with what is required."""
    profile = context.profile
    limits_wanted = {_quota_of(each): float(each.value) for each in profile.limits}
    limits_wanted |= _vcpus_wanted(context)
    free_wanted = {_quota_of(each): float(each.value) for each in profile.headroom}
    usage, limits = sources(context)
    keys: dict[Key, None] = dict.fromkeys((quota, "") for quota in limits_wanted | free_wanted)
    figures = {each.quota: each for each in read_figures(keys, usage, limits)}
    answers = [
        *(_recommended(figures[q], n, profile.title) for q, n in limits_wanted.items()),
        *(_headroom(figures[q], n, profile.title) for q, n in free_wanted.items()),
    ]
    if not answers:
        yield Answer(
            status=Status.SKIP, subject=profile.name, message=f"{profile.title} asks for no quotas"
        )
        return
    yield from answers
    yield text.coverage("quota-vendor", answers, figures.values())


def _quota_of(required: RequiredQuota) -> Quota:
    known = by_key(required.service, required.code)
    return known or Quota(service=required.service, code=required.code, name=required.name)


def _wanted_by_vendor(context: Context) -> set[Quota]:
    profile = context.profile
    listed = {_quota_of(each) for each in (*profile.limits, *profile.headroom)}
    return listed | _vcpus_wanted(context).keys()


def _vcpus_wanted(context: Context) -> dict[Quota, float]:
    """Give the recommended vCPUs of every family and way of buying that was asked for."""
    wanted: dict[Quota, float] = {}
    recommended = {
        "on-demand": context.profile.vcpus.on_demand,
        "spot": context.profile.vcpus.spot,
    }
    for asked in context.spec.instance_types:
        for capacity in asked.capacity:
            quota = vcpu_quota(asked.type, capacity.value)
            value = recommended[capacity.value]
            if quota is not None and value is not None:
                wanted[quota] = float(value)
    return wanted


def _recommended(figure: Figure, wanted: float, vendor: str) -> Answer:
    subject = f"{figure.quota} limit"
    if isinstance(figure.limit, Unknown):
        what = f"{figure.quota.name}: whether the limit is as {vendor} recommends is not known"
        return text.unknown(subject, what, [figure.limit], figure.numbers(wanted))
    what = f"{figure.quota.name}: {text.number(figure.limit.value)}, {vendor} recommends"
    if figure.limit.value >= wanted:
        return Answer(
            status=Status.PASS,
            subject=subject,
            message=f"{what} {text.number(wanted)}",
            data=figure.numbers(wanted),
        )
    request = to_request(figure.quota, 0.0, wanted)
    return Answer(
        status=Status.WARN,
        subject=subject,
        message=f"{what} {text.number(wanted)}{text.softer(figure)}",
        hint=text.how_to_raise(figure, request),
        data=figure.numbers(wanted, request),
    )


def _headroom(figure: Figure, wanted: float, vendor: str) -> Answer:
    subject = f"{figure.quota} free"
    unknowns = [each for each in (figure.limit, figure.used) if isinstance(each, Unknown)]
    if unknowns or figure.free is None or isinstance(figure.used, Unknown):
        what = f"{figure.quota.name}: how many are free is not known, {vendor} needs"
        numbers = figure.numbers(wanted)
        return text.unknown(subject, f"{what} {text.number(wanted)}", unknowns, numbers)
    what = f"{text.stands(figure)}, {text.number(figure.free)} free"
    what = f"{what}; {vendor} needs {text.number(wanted)} free"
    if figure.free >= wanted:
        return Answer(
            status=Status.PASS, subject=subject, message=what, data=figure.numbers(wanted)
        )
    request = to_request(figure.quota, figure.used, wanted)
    return Answer(
        status=Status.FAIL,
        subject=subject,
        message=f"{what}{text.softer(figure)}",
        hint=text.how_to_raise(figure, request),
        severity=text.severity(figure),
        data=figure.numbers(wanted, request),
    )
