"""Who a signer is to the policies: the policies that bind him, and the keys that tell of him."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from preflight.policy import ContextValue, Policy, Principal
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity import iam
from preflight.sandbox.identity.permissions_lag import FormerPermissions
from preflight.sandbox.identity.principals import Principal as Signer
from preflight.sandbox.world import World

_PRINCIPAL_TYPES = {
    "federated": "FederatedUser",
    "role": "AssumedRole",
    "root": "Account",
    "user": "User",
}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Who a signer is to the policies, and all policies that bind him.

    `unknown` are keys that AWS knows of him and the sandbox does not.
    """

    principal: Principal
    identity: tuple[Policy, ...]
    boundary: Policy | None
    scps: tuple[tuple[Policy, ...], ...]
    session: tuple[Policy, ...] | None
    context: Mapping[str, ContextValue]
    unknown: tuple[str, ...] = ()

    @classmethod
    def of(cls, world: World, signer: Signer) -> Standing:
        """Look the policies up as AWS knows them now; a deleted role or user has none."""
        arn = _entity_arn(world, signer)
        principal = Principal(arn=arn, session_arn=signer.arn if signer.arn != arn else None)
        with world.lock:
            granted = world.part(FormerPermissions).of(arn) or iam.granted(world, arn)
            # No policy of the account binds its root user.
            identity = (iam.FULL_ACCESS,) if signer.kind == "root" else granted.policies
            tags = _tags(world, arn) | dict(signer.tags)
            scps = iam.scp_levels(world)
            session = _session_policies(world, signer)
        service_linked = ":role/aws-service-role/" in arn
        return cls(
            principal=principal,
            identity=identity,
            boundary=granted.boundary,
            scps=() if service_linked else tuple(tuple(level) for level in scps),
            session=session,
            context=_caller_keys(signer, arn, tags) | _organization_keys(world),
            unknown=_organization_unknown(world),
        )

    @classmethod
    def of_admin(cls, world: World, signer: Signer) -> Standing:
        """Give the standing of the sandbox's own admin: no policy binds him but a trust policy."""
        return cls(
            principal=Principal(arn=signer.arn),
            identity=(iam.FULL_ACCESS,),
            boundary=None,
            scps=(),
            session=None,
            context=_caller_keys(signer, signer.arn, {}) | _organization_keys(world),
            unknown=_organization_unknown(world),
        )


def _entity_arn(world: World, signer: Signer) -> str:
    """Name the role or user behind a session; a federated user stands for the user he is from."""
    if signer.kind != "federated":
        return signer.role_arn or signer.arn
    with world.lock:
        user = world.backend("iam", "aws").users.get(signer.name)
    return str(user.arn) if user is not None else signer.arn


def _tags(world: World, arn: str) -> dict[str, str]:
    try:
        _, holder = iam.entity(world, arn)
    except AwsFault:
        return {}
    return {tag["Key"]: tag["Value"] for tag in holder.tags or ()}


def _session_policies(world: World, signer: Signer) -> tuple[Policy, ...] | None:
    """Read the policies passed when the session was made; None when there were none.

    A federated user without any may do nothing.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
    """
    policies = [iam.policy_document(world, arn) for arn in signer.session_policy_arns]
    if signer.session_policy:
        policies.append(Policy.parse(signer.session_policy, id="session policy"))
    if not policies and signer.kind != "federated":
        return None
    return tuple(policies)


def _caller_keys(signer: Signer, arn: str, tags: Mapping[str, str]) -> dict[str, ContextValue]:
    keys: dict[str, ContextValue] = {
        "aws:PrincipalAccount": signer.account,
        "aws:PrincipalArn": arn,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": _PRINCIPAL_TYPES[signer.kind],
        "aws:userid": signer.user_id,
    }
    if signer.kind == "user":
        keys["aws:username"] = signer.name
    if signer.issued is not None:
        keys["aws:MultiFactorAuthPresent"] = "false"
        keys["aws:TokenIssueTime"] = signer.issued.isoformat()
    return keys | {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}


def _organization_keys(world: World) -> dict[str, ContextValue]:
    """Tell the organization, where the scenario names it; without one there are no such keys."""
    organization = iam.organization(world)
    if not organization:
        return {}
    return {"aws:PrincipalOrgID": organization, "aws:ResourceOrgID": organization}


def _organization_unknown(world: World) -> tuple[str, ...]:
    """An account with SCPs is in an organization, of which the scenario may say nothing."""
    if iam.organization(world):
        return ("aws:PrincipalOrgPaths", "aws:ResourceOrgPaths")
    if iam.scp_levels(world):
        return ("aws:PrincipalOrg*", "aws:ResourceOrg*")
    return ()
