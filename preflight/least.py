"""The smallest IAM policies that let a principal do a list of actions, and the boundary around it.

Every action is held to the ARNs of its real call, to the tags that call carries, to the Region it
is made in, and to the condition keys declared for it. Pure: reads Actions, writes documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from preflight.actions import Action
from preflight.errors import PlanError
from preflight.found import CLUSTER_TAG, Owner
from preflight.grants import Clause, Grant, condensed

#: Characters of a managed policy, white space not counted, and policies on a role by default.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
LONGEST = 6144
MOST = 10
#: Where IAM and its like receive every request, whatever Region a caller works in.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion
HOMES: Mapping[str, str] = MappingProxyType(
    {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
)
GLOBAL = frozenset({"account", "iam", "organizations", "route53", "s3", "sts"})
#: Nobody can be denied these two; the third is allowed by the role's trust, to whoever assumes it.
#: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken", "sts:AssumeRole"})
READS = ("Describe", "Get", "List", "Head", "Search", "Simulate")
#: Condition keys that hold a list; any other holds one value.
LISTS = frozenset({"aws:TagKeys", "events:TargetArn"})
#: What AWS names itself; an identity source of EKS has the Region before its id.
_ID_UNKNOWN = re.compile(r"(?:[a-z-]+/|oidc-provider/oidc\.eks\.[^/]+)\*")
_ENDS = ("Delete", "Disassociate", "Schedule")

VERSION = "2012-10-17"


Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Least:
    """What to attach: `policies` by name, each within AWS's size limit, and the `boundary`."""

    policies: Mapping[str, Document]
    boundary: Document

    @property
    def actions(self) -> tuple[str, ...]:
        """Every action allowed, by name."""
        return tuple(sorted({name for one in self.policies.values() for name in names(one)}))


def names(document: Document) -> Iterator[str]:
    """Give the actions of all statements of a document made here."""
    for statement in document["Statement"]:
        yield from statement["Action"]


def own_arns(actions: Iterable[Action]) -> frozenset[str]:
    """Name the ARN patterns, such as `vpc/*`, under which things are made with Preflight's tags."""
    return frozenset(
        arn
        for action in actions
        if action.tagged
        for arn in action.on
        if arn.count(":") >= 5 and _ID_UNKNOWN.fullmatch(arn.split(":", 5)[5])
    )


def acts_on_own(action: Action, arn: str, own: frozenset[str]) -> bool:
    """Say whether the real call finds Preflight's tags on the thing it acts on.

    Not where AWS acts in the caller's name (it takes things of its own, too), nor for looks, which
    have to see what is not ours. KMS may take five minutes to see a tag, so only deletions of a key
    ask for one. https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html
    """
    service, _, verb = action.name.partition(":")
    if action.tagged or action.by_hand or arn not in own or verb.startswith(READS):
        return False
    return service == "ec2" or verb.startswith(_ENDS)


def least(actions: Iterable[Action], owner: Owner, looks: Iterable[Action] = ()) -> Least:
    """Write the policies for `actions`, those of a plan, and for `looks`, those of the checks.

    Checks may look in the partition's home Region, too, where global quotas and prices are kept.
    Raises `PlanError` when not even coarser ARNs fit into ten policies.
    """
    wanted = tuple(actions)
    own = own_arns(wanted)
    regions = {owner.region}
    grants = [grant for one in wanted for grant in _grants(one, owner, own, regions)]
    regions |= {HOMES.get(owner.partition, owner.region)}
    grants += [grant for one in looks for grant in _grants(one, owner, own, regions)]
    exact = condensed(grants)
    documents = _packed(exact)
    if len(documents) > MOST:
        documents = _packed(condensed(_coarser(grant, owner) for grant in grants))
    if len(documents) > MOST:
        raise PlanError(
            f"the least policy takes {len(documents)} documents, and a role takes {MOST}",
            "ask AWS for more managed policies per role, or attach the vendor's: --managed",
        )
    stem = f"preflight-{owner.eks_name}"
    named = {f"{stem}-{number}": one for number, one in enumerate(documents, 1)}
    return Least(policies=named, boundary=_boundary(exact, owner))


def _grants(
    action: Action, owner: Owner, own: frozenset[str], regions: Iterable[str]
) -> Iterator[Grant]:
    if action.name in FREE:
        return
    for arn in action.on:
        clauses = {_clause(key, value) for key, value in action.context.items() if value}
        if action.tagged:
            clauses.add(_clause(f"aws:RequestTag/{CLUSTER_TAG}", owner.cluster))
        elif acts_on_own(action, arn, own):
            clauses.add(_clause(f"aws:ResourceTag/{CLUSTER_TAG}", owner.cluster))
        if arn == "*" and action.name.partition(":")[0] not in GLOBAL:
            clauses.add(_clause("aws:RequestedRegion", tuple(regions)))
        yield Grant(action=action.name, arn=arn, clauses=frozenset(clauses))


def _clause(key: str, value: str | tuple[str, ...]) -> Clause:
    values = frozenset([value] if isinstance(value, str) else value)
    operator = "ArnEquals" if all(one.startswith("arn:") for one in values) else "StringEquals"
    each = "ForAllValues:" if key in LISTS else ""
    return Clause(operator=each + operator, key=key, values=values)


def _coarser(grant: Grant, owner: Owner) -> Grant:
    """Let everything under the cluster's own name be one pattern: node groups may be many."""
    for name in dict.fromkeys((f"{owner.cluster}--{owner.region}", owner.eks_name, owner.cluster)):
        start, found, _ = grant.arn.partition(f"/{name}/")
        if found:
            return Grant(action=grant.action, arn=f"{start}{found}*", clauses=grant.clauses)
    return grant


def _packed(statements: Iterable[Document]) -> list[Document]:
    """Put statements into as few documents as they fit in, those of one AWS product together."""
    documents: list[Document] = []
    for statement in statements:
        for part in _parts(statement):
            room = next((one for one in documents if size(_with(one, part)) <= LONGEST), None)
            if room is None:
                room = {"Version": VERSION, "Statement": []}
                documents.append(room)
            room["Statement"].append(_unlike(part, room))
    return documents


def _parts(statement: Document) -> list[Document]:
    """Halve a statement until each part fits into a document of its own."""
    if size(_with({"Version": VERSION, "Statement": []}, statement)) <= LONGEST:
        return [statement]
    longer = max(("Resource", "Action"), key=lambda key: len(statement[key]))
    values = statement[longer]
    halves = (values[: len(values) // 2], values[len(values) // 2 :])
    return [part for half in halves for part in _parts({**statement, longer: half})]


def _with(document: Document, statement: Document) -> Document:
    return {**document, "Statement": [*document["Statement"], statement]}


def _unlike(statement: Document, document: Document) -> Document:
    """Number the Sid where the document has it already: it must be unique there."""
    taken = {one["Sid"] for one in document["Statement"]}
    sid, number = statement["Sid"], 2
    while statement["Sid"] in taken:
        statement = {**statement, "Sid": f"{sid}{number}"}
        number += 1
    return statement


def size(document: Document) -> int:
    """Count the characters as IAM does, without white space."""
    return len(json.dumps(document, separators=(",", ":")))


def _boundary(statements: Iterable[Document], owner: Owner) -> Document:
    """Draw the line no later policy of the principal can cross: products, Region, IAM paths.

    A boundary allows nothing by itself. IAM may be changed only under the paths of the plan, so the
    principal can neither widen itself nor take the boundary off.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    used = [
        (name, statement["Resource"]) for statement in statements for name in statement["Action"]
    ]
    changes = [(name, on) for name, on in used if _changes_identities(name)]
    others = {_wide(name) for name, _ in used if not _changes_identities(name)}
    everywhere = {name for name in others if name.partition(":")[0] in GLOBAL}
    places = sorted({owner.region, HOMES.get(owner.partition, owner.region)})
    in_region: Document = {"Condition": {"StringEquals": {"aws:RequestedRegion": places}}}
    paths = {_under_path(arn) for _, on in changes for arn in on}
    return {
        "Version": VERSION,
        "Statement": [
            {"Sid": sid, "Effect": "Allow", "Action": sorted(what), "Resource": sorted(on), **more}
            for sid, what, on, more in (
                ("Regional", others - everywhere, {"*"}, in_region),
                ("Global", everywhere, {"*"}, {}),
                ("Identities", {name for name, _ in changes}, paths, {}),
            )
            if what
        ],
    }


def _changes_identities(name: str) -> bool:
    return name.startswith("iam:") and not name.removeprefix("iam:").startswith(READS)


def _wide(name: str) -> str:
    """Widen an action to its product, and one of IAM to its verb."""
    service, _, verb = name.partition(":")
    if service != "iam":
        return f"{service}:*"
    return f"iam:{next(read for read in READS if verb.startswith(read))}*"


def _under_path(arn: str) -> str:
    """Widen the ARN of a role or policy to everything under the owner's path."""
    kind, found, rest = arn.partition("/preflight/")
    return f"{kind}{found}{rest.split('/', 1)[0]}/*" if "/" in rest else arn
