"""AssumeRoleWithWebIdentity: who a token speaks of, and whether the role trusts its issuer.

The token is read and not verified: the sandbox has the keys of no issuer. Everything else is as in
AWS: the provider is in IAM, the audience is one of its client ids, the token has not expired, and
the trust policy lets it in.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from preflight.policy import Context, ContextValue, Outcome, Principal, PrincipalType, evaluate
from preflight.policy import Request as Question
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity.resource_policies import trust_policy
from preflight.sandbox.identity.resources import arn
from preflight.sandbox.request import Request

_ACTION = "sts:AssumeRoleWithWebIdentity"


def claims_of(token: str) -> dict[str, Any]:
    """Read what a JSON web token claims; raises InvalidIdentityToken for what is none."""
    parts = token.split(".")
    try:
        text = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        claims = json.loads(text)
    except (IndexError, binascii.Error, ValueError) as error:
        raise _invalid("The ID Token provided is not a valid JWT.") from error
    if not isinstance(claims, dict) or not claims.get("iss"):
        raise _invalid("Missing a required claim: iss")
    return claims


def _invalid(message: str) -> AwsFault:
    return AwsFault("InvalidIdentityToken", message, 400)


def insist(request: Request, claims: dict[str, Any]) -> str:
    """Raise AWS's fault unless the token opens the role; gives the ARN of its provider."""
    issuer = str(claims["iss"]).removeprefix("https://")
    provider_arn = arn(request, "iam", f"oidc-provider/{issuer}", region="")
    provider = request.world.backend("iam", "aws").open_id_providers.get(provider_arn)
    if provider is None:
        raise _invalid(f"No OpenIDConnect provider found in your account for https://{issuer}")
    audience = claims.get("aud", ())
    audiences = [audience] if isinstance(audience, str) else [str(one) for one in audience]
    if not set(audiences) & set(provider.client_id_list):
        raise _invalid("Incorrect token audience")
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires <= request.world.clock.now().timestamp():
        raise AwsFault("ExpiredTokenException", "Token expired", 400)
    _insist_on_trust(request, provider_arn, issuer, claims, audiences)
    return provider_arn


def _insist_on_trust(
    request: Request, provider: str, issuer: str, claims: dict[str, Any], audiences: list[str]
) -> None:
    role = str(request.parameters.get("RoleArn"))
    keys: dict[str, ContextValue] = {
        "aws:FederatedProvider": provider,
        "aws:RequestedRegion": request.region,
        "sts:RoleSessionName": str(request.parameters.get("RoleSessionName")),
        f"{issuer}:aud": audiences,
        f"{issuer}:sub": str(claims.get("sub", "")),
    }
    on = trust_policy(request.world, role)
    decision = evaluate(
        Question(
            action=_ACTION,
            principal=Principal(arn=provider, type=PrincipalType.FEDERATED),
            resource=role,
            context=Context.of(keys, unknown=("aws:SourceIp",)),
        ),
        identity=(),
        resource=on.policy,
        resource_must_allow=True,
    )
    if decision.outcome in {Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY}:
        raise AwsFault("AccessDenied", f"Not authorized to perform {_ACTION}", 403)
