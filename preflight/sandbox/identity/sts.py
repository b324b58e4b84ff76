"""STS: who one is, becoming somebody else, and the Regions in which it is switched off.

A deactivated Region refuses to make credentials for the account, and still tells who calls.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from preflight.sandbox.account.regions import is_sts_active
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity.principals import Principal, Session, open_session
from preflight.sandbox.identity.session_size import packed_percent, policy_arns
from preflight.sandbox.identity.web_identity import claims_of, insist
from preflight.sandbox.request import Request

MINTING = (
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "GetFederationToken",
    "GetSessionToken",
)
CHAINED_SECONDS = 3600


def refuse_deactivated(request: Request) -> None:
    """Refuse to make credentials where the account has STS switched off."""
    if not is_sts_active(request.world, request.region):
        message = (
            "STS is not activated in this region for account:"
            f"{request.account}. Your account administrator can activate STS in this region "
            "using the IAM Console."
        )
        raise AwsFault("RegionDisabledException", message, 403)


def get_caller_identity(request: Request) -> dict[str, Any]:
    """GetCallerIdentity: everybody may ask, everywhere."""
    caller = _caller(request)
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def assume_role(request: Request) -> dict[str, Any]:
    """AssumeRole: what authorise.py lets through, if there is the role and the time is allowed."""
    caller, wanted = _caller(request), request.parameters
    if caller.kind == "root" and not caller.is_privileged:
        raise AwsFault("AccessDenied", "Roles may not be assumed by root accounts.", 403)
    role = _role(request, wanted["RoleArn"])
    if role is None:
        message = (
            f"User: {caller.arn} is not authorized to perform: sts:AssumeRole "
            f"on resource: {wanted['RoleArn']}"
        )
        raise AwsFault("AccessDenied", message, 403)
    seconds = _role_seconds(caller, role, wanted.get("DurationSeconds"))
    given = {tag["Key"]: tag["Value"] for tag in wanted.get("Tags", [])}
    inherited = {key: value for key, value in caller.tags if key in caller.transitive}
    return _become(
        request,
        role,
        seconds,
        tags={**given, **inherited},
        transitive=(*wanted.get("TransitiveTagKeys", ()), *inherited),
    )


def assume_role_with_web_identity(request: Request) -> dict[str, Any]:
    """AssumeRoleWithWebIdentity: the role has to trust the issuer of the token."""
    wanted = request.parameters
    claims = claims_of(str(wanted["WebIdentityToken"]))
    provider = insist(request, claims)
    role = _role(request, wanted["RoleArn"])
    seconds = _role_seconds(None, role, wanted.get("DurationSeconds"))
    audience = claims["aud"] if isinstance(claims["aud"], str) else claims["aud"][0]
    return {
        **_become(request, role, seconds, tags={}, transitive=()),
        "Provider": provider,
        "Audience": audience,
        "SubjectFromWebIdentityToken": str(claims.get("sub", "")),
    }


def _become(
    request: Request,
    role: Any,
    seconds: int,
    *,
    tags: Mapping[str, str],
    transitive: tuple[str, ...],
) -> dict[str, Any]:
    """Open a session of a role, and tell of it."""
    wanted = request.parameters
    packed = packed_percent(request, tags)
    name = wanted["RoleSessionName"]
    arn = f"arn:aws:sts::{request.world.account}:assumed-role/{role.name}/{name}"
    principal = Principal(
        kind="role",
        arn=arn,
        account=request.world.account,
        user_id=f"{role.id}:{name}",
        name=name,
        role_arn=role.arn,
        session_policy=wanted.get("Policy"),
        session_policy_arns=policy_arns(wanted),
        tags=tuple(tags.items()),
        transitive=transitive,
    )
    session = open_session(request.world, principal, seconds)
    return {
        "Credentials": _credentials(session),
        "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": arn},
        **({"PackedPolicySize": packed} if packed else {}),
    }


def get_session_token(request: Request) -> dict[str, Any]:
    """GetSessionToken: long-term keys only, no permission needed."""
    caller = _caller(request)
    if request.session_token:
        message = "Cannot call GetSessionToken with session credentials"
        raise AwsFault("AccessDenied", message, 403)
    seconds = _seconds(request.parameters.get("DurationSeconds", 43200), 900, 129_600)
    return {"Credentials": _credentials(open_session(request.world, caller, seconds))}


def get_federation_token(request: Request) -> dict[str, Any]:
    """GetFederationToken: long-term keys only; the session has what both policies allow."""
    caller, wanted = _caller(request), request.parameters
    if request.session_token:
        message = "Cannot call GetFederationToken with session credentials"
        raise AwsFault("AccessDenied", message, 403)
    seconds = _seconds(wanted.get("DurationSeconds", 43200), 900, 129_600)
    packed = packed_percent(request, {})
    identifier = f"{caller.account}:{wanted['Name']}"
    principal = Principal(
        kind="federated",
        arn=f"arn:aws:sts::{caller.account}:federated-user/{wanted['Name']}",
        account=caller.account,
        user_id=identifier,
        name=caller.name,
        session_policy=wanted.get("Policy"),
        session_policy_arns=policy_arns(wanted),
    )
    return {
        "Credentials": _credentials(open_session(request.world, principal, seconds)),
        "FederatedUser": {"FederatedUserId": identifier, "Arn": principal.arn},
        **({"PackedPolicySize": packed} if packed else {}),
    }


def get_access_key_info(request: Request) -> dict[str, Any]:
    """GetAccessKeyInfo: the sandbox knows the keys of its own account."""
    return {"Account": request.world.account}


def not_there(request: Request) -> dict[str, Any]:
    """Say that the sandbox cannot judge this: moto would make credentials for anybody."""
    raise NotImplementedError(f"{request.operation} is not judged here")


def _caller(request: Request) -> Principal:
    if request.principal is None:
        raise AwsFault("MissingAuthenticationToken", "Missing Authentication Token", 403)
    return request.principal


def _role(request: Request, arn: str) -> Any:
    """Find a role of this account by its whole ARN, path included."""
    for role in request.world.backend("iam", "aws").roles.values():
        if role.arn == arn:
            return role
    return None


def _role_seconds(caller: Principal | None, role: Any, wanted: int | None) -> int:
    """Bound a session's length: by the role, and by an hour when one role assumes another."""
    longest = int(role.max_session_duration or 3600)
    if wanted is not None and caller and caller.kind == "role" and wanted > CHAINED_SECONDS:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles "
        raise AwsFault("ValidationError", message + "assumed by role chaining.")
    if wanted is not None and wanted > longest:
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise AwsFault("ValidationError", message)
    return _seconds(3600 if wanted is None else wanted, 900, longest)


def _seconds(value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        message = (
            f"1 validation error detected: Value '{value}' at 'durationSeconds' failed to satisfy "
            f"constraint: Member must have value between {least} and {most}"
        )
        raise AwsFault("ValidationError", message)
    return value


def _credentials(session: Session) -> dict[str, Any]:
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": datetime.fromtimestamp(session.expires, UTC),
    }


def set_token_preferences(request: Request) -> dict[str, Any]:
    """IAM SetSecurityTokenServicePreferences: told again by GetAccountSummary.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetSecurityTokenServicePreferences.html
    """
    version = str(request.parameters["GlobalEndpointTokenVersion"])
    summary = request.world.backend("iam", "aws").account_summary
    summary._global_endpoint_token_version = int(version[1])  # noqa: SLF001 - moto has no other way
    return {}


OPERATIONS = {
    ("iam", "SetSecurityTokenServicePreferences"): set_token_preferences,
    ("sts", "AssumeRole"): assume_role,
    ("sts", "AssumeRoleWithSAML"): not_there,
    ("sts", "AssumeRoleWithWebIdentity"): assume_role_with_web_identity,
    ("sts", "AssumeRoot"): not_there,
    ("sts", "GetAccessKeyInfo"): get_access_key_info,
    ("sts", "GetCallerIdentity"): get_caller_identity,
    ("sts", "GetFederationToken"): get_federation_token,
    ("sts", "GetSessionToken"): get_session_token,
}
RULES = {("sts", operation): refuse_deactivated for operation in MINTING}
