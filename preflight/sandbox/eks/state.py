"""What the sandbox knows of EKS: clusters and what belongs to them, and how EKS says no."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from preflight.policy import Context, Outcome, Principal, PrincipalType, evaluate
from preflight.policy import Request as Question
from preflight.sandbox.agenda import agenda
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity.iam import read_policy
from preflight.sandbox.request import Request
from preflight.sandbox.world import World

Shape = dict[str, Any]
STATUS_OF_CODE = {"ResourceInUseException": 409, "ResourceNotFoundException": 404}


@dataclass
class Nodegroup:
    """A node group: `shape` is what DescribeNodegroup answers.

    `scaling_group` is the name of its Auto Scaling group, `template` the name of EKS's own copy
    of the launch template, and `active_since` the virtual second it first became ACTIVE.
    `shortage` is the health issue of instances that could not be started; quotas do not hold for
    a group that `is_unlimited`: one of the scenario's set-up. `failure` is why it is
    DELETE_FAILED, `remote_access_group` the security group EKS made to let SSH in.
    """

    shape: Shape
    scaling_group: str
    template: str
    active_since: float | None = None
    shortage: Shape | None = None
    is_unlimited: bool = False
    failure: Shape | None = None
    remote_access_group: str = ""
    updates: dict[str, Shape] = field(default_factory=dict)


@dataclass
class Addon:
    """An add-on; `since` is the virtual second of its latest change, `busy` what it is doing.

    `failure` is the issue by which that fails, or has failed.
    """

    shape: Shape
    since: float
    busy: str = "CREATING"
    failure: Shape | None = None
    updates: dict[str, Shape] = field(default_factory=dict)


@dataclass
class AccessEntry:
    """An access entry and the access policies associated with it, by ARN."""

    shape: Shape
    policies: dict[str, Shape] = field(default_factory=dict)


@dataclass
class Cluster:
    """A cluster: `shape` is what DescribeCluster answers, `later` what it adds once ACTIVE.

    `incarnation` is the id in its OIDC issuer: no two clusters share one, of the same name or not.
    """

    region: str
    shape: Shape
    incarnation: str
    later: Shape
    interfaces: list[str] = field(default_factory=list)
    nodegroups: dict[str, Nodegroup] = field(default_factory=dict)
    addons: dict[str, Addon] = field(default_factory=dict)
    access_entries: dict[str, AccessEntry] = field(default_factory=dict)
    associations: dict[str, Shape] = field(default_factory=dict)
    updates: dict[str, Shape] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The cluster's name."""
        return str(self.shape["name"])

    @property
    def status(self) -> str:
        """CREATING, ACTIVE, UPDATING, DELETING or FAILED."""
        return str(self.shape["status"])

    @property
    def group_id(self) -> str:
        """The security group EKS makes for the cluster."""
        return str(self.shape["resourcesVpcConfig"].get("clusterSecurityGroupId", ""))

    @property
    def logs(self) -> bool:
        """Whether any log of the control plane is delivered."""
        setup = self.shape.get("logging", {}).get("clusterLogging", [])
        return any(one.get("enabled") and one.get("types") for one in setup)

    def tagged(self) -> list[tuple[str, Shape]]:
        """Give ARN and shape of all that can carry tags."""
        return [
            (self.shape["arn"], self.shape),
            *((n.shape["nodegroupArn"], n.shape) for n in self.nodegroups.values()),
            *((a.shape["addonArn"], a.shape) for a in self.addons.values()),
            *((e.shape["accessEntryArn"], e.shape) for e in self.access_entries.values()),
            *((one["associationArn"], one) for one in self.associations.values()),
        ]


class Eks:
    """All clusters of a sandbox, by Region and name, and the client tokens seen."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.clusters: dict[tuple[str, str], Cluster] = {}
        self.tokens: dict[tuple[str, str, str], tuple[str, Callable[[], Shape | None]]] = {}

    def in_region(self, region: str) -> list[Cluster]:
        """List the clusters of a Region by name."""
        found = [one for (where, _), one in self.clusters.items() if where == region]
        return sorted(found, key=lambda one: one.name)

    def snapshot(self) -> list[Shape]:
        """Describe all clusters as JSON values."""
        agenda(self._world).catch_up()
        described = [
            {
                **cluster.shape,
                "nodegroups": [one.shape for one in cluster.nodegroups.values()],
                "addons": [one.shape for one in cluster.addons.values()],
                "accessEntries": [
                    {**one.shape, "accessPolicies": list(one.policies.values())}
                    for one in cluster.access_entries.values()
                ],
                "podIdentityAssociations": list(cluster.associations.values()),
            }
            for _, cluster in sorted(self.clusters.items())
        ]
        return list(json.loads(json.dumps(described, default=_plain)))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def eks(request: Request) -> Eks:
    """Give the EKS of a request's sandbox."""
    return request.world.part(Eks)


def refuse(code: str, message: str, **members: Any) -> AwsFault:
    """Make an EKS error; `members` are further members of its shape."""
    return AwsFault(code, message, STATUS_OF_CODE.get(code, 400), members)


def cluster_of(request: Request) -> Cluster:
    """Find the cluster a request speaks of."""
    name = request.parameters.get("clusterName") or request.parameters.get("name") or ""
    cluster = eks(request).clusters.get((request.region, name))
    if cluster is None:
        raise refuse(
            "ResourceNotFoundException", f"No cluster found for name: {name}.", clusterName=name
        )
    return cluster


def must_be_active(cluster: Cluster, also: Sequence[str] = ()) -> None:
    """Refuse work on a cluster that is on its way up or down."""
    if cluster.status != "ACTIVE" and cluster.status not in also:
        raise refuse(
            "InvalidRequestException",
            f"Cluster '{cluster.name}' is not in ACTIVE status",
            clusterName=cluster.name,
        )


def arn(request: Request, path: str) -> str:
    """Write the ARN of something of EKS in the request's Region."""
    return f"arn:aws:eks:{request.region}:{request.world.account}:{path}"


def now(request: Request) -> datetime:
    """Tell the virtual time."""
    return agenda(request.world).now()


def once(request: Request, create: Callable[[], Callable[[], Shape | None]]) -> Shape:
    """Create something, or with a client token seen before describe what it made then.

    `create` returns what describes the new thing, and None when it is there no longer. The same
    token with other parameters is refused.
    """
    parameters = dict(request.parameters)
    token = parameters.pop("clientRequestToken", None) or str(uuid.uuid4())
    wanted = json.dumps(parameters, sort_keys=True, default=str)
    tokens, key = eks(request).tokens, (request.region, request.operation, token)
    if key in tokens:
        before, describe = tokens[key]
        answer = describe()
        if answer is not None and before != wanted:
            message = "The client request token was used before with different parameters"
            raise refuse("InvalidParameterException", message)
        if answer is not None:
            return answer
    describe = create()
    tokens[key] = (wanted, describe)
    return describe() or {}


def page(request: Request, member: str, found: Sequence[Any], default: int = 100) -> Shape:
    """Answer one page of a list; the token is the index of the next one."""
    parameters = request.parameters
    size = parameters.get("maxResults") or default
    if not 1 <= size <= 100:
        message = "maxResults must be between 1 and 100"
        raise refuse("InvalidParameterException", message)
    try:
        start = int(base64.b64decode(parameters.get("nextToken") or "MA=="))
    except ValueError as error:
        raise refuse("InvalidParameterException", "The nextToken is invalid") from error
    answer: Shape = {member: list(found[start : start + size])}
    if start + size < len(found):
        answer["nextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return answer


def find_role(request: Request, role_arn: str) -> Any:
    """Find an IAM role by its ARN, or None."""
    roles = request.world.backend("iam", "aws").roles.values()
    return next((role for role in roles if role.arn == role_arn), None)


def trusts(role: Any, service: str) -> bool:
    """Whether the role's trust policy lets a service assume it, as far as that can be told."""
    document = role.assume_role_policy_document or "{}"
    question = Question(
        action="sts:AssumeRole",
        principal=Principal(arn=service, type=PrincipalType.SERVICE),
        resource=role.arn,
        context=Context(unknown=frozenset({"*"})),
    )
    trust = read_policy(document, "trust policy")
    decision = evaluate(question, identity=(), resource=trust, resource_must_allow=True)
    return decision.outcome in {Outcome.ALLOWED, Outcome.UNKNOWN}
