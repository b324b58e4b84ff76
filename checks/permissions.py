"""May the principal that builds do all that the plan does, deletion included?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from checks import not_simulated
from checks import permission_text as text
from checks.attached import boundary_keys
from checks.batches import Keys, Question
from checks.doubt import settled
from checks.keys import of_resource
from checks.looks import looks
from checks.principal import Entity, Principal, PrincipalKind, entity
from checks.root import root
from checks.rulings import Denial, denials
from checks.second_opinion import second
from checks.simulation import Ruling, ask_sparingly
from preflight import least
from preflight.actions import Action
from preflight.aws import Aws
from preflight.check import Answer, Context, check
from preflight.errors import AwsError
from preflight.finding import Coverage, Status
from preflight.found import CLUSTER_TAG

GLOBAL = frozenset({"account", "iam", "organizations", "route53"})
#: Not for the simulator: these are asked by doing, and only the root user asks for an organization.
BY_DOING = frozenset(
    {
        "iam:GetRole",
        "iam:SimulatePrincipalPolicy",
        "organizations:DescribeOrganization",
        "sts:AssumeRole",
        "sts:GetCallerIdentity",
        "sts:GetSessionToken",
    }
)


@check(
    "permissions",
    "The principal that builds may do everything the plan does",
    why=(
        "A missing permission shows when the call is made, with half of the cluster built, and a "
        "missing right to delete shows when the bill comes."
    ),
    fix="Attach the policy that `preflight permissions` prints to the principal that builds.",
    url="https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html",
    actions=(
        "iam:SimulatePrincipalPolicy",
        "iam:GetRole",
        "organizations:DescribeOrganization",
        "sts:GetCallerIdentity",
    ),
)
def permissions(context: Context) -> Iterator[Answer | Coverage]:
    """Simulate each action with the ARNs and condition keys that the real call carries."""
    builder = Principal.of(context.aws.identity.arn)
    if builder.kind is PrincipalKind.ROOT:
        yield from root(context)
        return
    behind = entity(builder, context.aws, context.spec.role_arn)
    if behind is None:
        yield not_simulated.no_entity(builder)
        return
    yield from of_entity(context, behind)


def of_entity(context: Context, behind: Entity) -> Iterator[Answer | Coverage]:
    """Simulate all that the plan and the checks do as one user or role."""
    planned, asking = asked(context)
    rulings = simulated(context, behind)
    if refusal := not_simulated.refused(behind, rulings.values()):
        if "missing_action" in refusal.data:
            yield from second(context, behind, planned, refusal)
        else:
            yield refusal
        return
    denied = denied_of(context, behind)
    of_plan = [denial for denial in denied if denial.ruling.question in planned]
    yield from text.denied(behind, of_plan)
    yield from summed_up(behind.guessed, planned, of_plan)
    if of_checks := [denial for denial in denied if denial.ruling.question in asking]:
        yield text.only_checks(of_checks)
    yield Coverage(
        rule="permissions",
        examined=len(rulings),
        matched=len(denied),
        status=_worst(denied),
    )


def simulated(context: Context, behind: Entity) -> dict[Question, Ruling]:
    """Simulate all that the plan and the checks do, once in a run: other checks ask for some."""

    def ask() -> dict[Question, Ruling]:
        planned, asking = asked(context)
        keys = partial(boundary_keys, reading(context), behind.arn)
        return ask_sparingly(context.aws, behind.arn, planned | asking, keys)

    return context.once.get(f"simulated:{behind.arn}", ask)


def reading(context: Context) -> Aws:
    """Give the view that policies are read with: each only once in a run."""
    return context.once.get("reading", context.aws.remembering)


def denied_of(context: Context, behind: Entity) -> list[Denial]:
    """Judge what the simulator does not allow of plan and checks, once in a run."""

    def judge() -> list[Denial]:
        rulings = _without_needless(context, simulated(context, behind))
        found = denials(context.aws, behind.arn, rulings.values())
        return settled(reading(context), behind.arn, found, context.plan.owner)

    return context.once.get(f"denied:{behind.arn}", judge)


def asked(context: Context) -> tuple[set[Question], set[Question]]:
    """Give the questions that the plan asks, and those that only the checks ask."""
    planned = {q for action in context.plan.actions for q in questions(context, action)}
    asking = (
        action for action in looks(context.plan, context.checks) if action.name not in BY_DOING
    )
    looked = {q for action in asking for q in questions(context, action)}
    return planned, looked - planned


def questions(context: Context, action: Action) -> Iterator[Question]:
    """Ask about one action of the plan on each of its resources, in the context of the call."""
    owner = context.plan.owner
    home = least.HOMES.get(owner.partition, owner.region)
    region = home if action.name.partition(":")[0] in GLOBAL else owner.region
    common: dict[str, str | tuple[str, ...]] = {"aws:RequestedRegion": region}
    if action.tagged:
        # Values differ from resource to resource; policies ask for keys, or for the cluster.
        tags = owner.tags("preflight")
        common["aws:TagKeys"] = tuple(sorted(tags))
        common |= {f"aws:RequestTag/{key}": value or "-" for key, value in tags.items()}
    plan = context.plan
    own_arns = context.once.get("own-arns", lambda: least.own_arns(plan.actions))
    # A key without a value, such as the boundary of a role that has none, is not sent.
    own: Keys = tuple(sorted((key, value) for key, value in action.context.items() if value))
    for resource in action.on:
        carried = common | of_resource(resource, owner.account)
        if least.acts_on_own(action, resource, own_arns):
            carried[f"aws:ResourceTag/{CLUSTER_TAG}"] = owner.cluster
        yield Question(
            common=tuple(sorted(carried.items())), own=own, resource=resource, action=action.name
        )


def _without_needless(
    context: Context, rulings: Mapping[Question, Ruling]
) -> dict[Question, Ruling]:
    """Drop the right to make a service-linked role that is there already: nobody will need it."""
    kept = {}
    for question, ruling in rulings.items():
        if question.action == "iam:CreateServiceLinkedRole" and not ruling.allowed:
            try:
                context.aws.call("iam", "GetRole", RoleName=question.resource.rpartition("/")[2])
                continue
            except AwsError:
                pass  # not there, or nobody may look: the right is still needed
        kept[question] = ruling
    return kept


def summed_up(
    guessed: bool, planned: Iterable[Question], denied: Iterable[Denial]
) -> Iterator[Answer]:
    """Sum up each AWS product of which every action is allowed."""
    spoilt = {denial.ruling.question.action.partition(":")[0] for denial in denied}
    names: defaultdict[str, set[str]] = defaultdict(set)
    for question in planned:
        names[question.action.partition(":")[0]].add(question.action)
    for prefix in sorted(set(names) - spoilt):
        yield text.allowed(prefix, sorted(names[prefix]), guessed)


def _worst(denied: Iterable[Denial]) -> Status:
    unknown = any(denial.status is Status.UNKNOWN for denial in denied)
    return Status.UNKNOWN if unknown else Status.PASS
