"""Key policies name only principals that IAM knows, and knows everywhere.

https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity.propagation import Propagation
from preflight.sandbox.request import Request

_ENTITY = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):(?:role|user)/.+")
INVALID = "Policy contains a statement with one or more invalid principals."


def _principals(policy: str) -> Iterator[str]:
    """Yield the AWS principals of a policy; none for what is no policy, which moto refuses."""
    try:
        statements = json.loads(policy)["Statement"]
    except (ValueError, TypeError, KeyError):
        return
    for statement in statements if isinstance(statements, list) else [statements]:
        principal: Any = statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, Mapping) else []
        yield from [named] if isinstance(named, str) else named


def refuse_unknown_principals(request: Request) -> None:
    """Refuse users and roles of this account that are not there, or not yet."""
    iam = request.world.backend("iam", "aws")
    there = {one.arn for one in (*iam.roles.values(), *iam.users.values())}
    for arn in _principals(request.parameters.get("Policy") or ""):
        entity = _ENTITY.fullmatch(arn)
        if entity is None or entity[1] != request.account:
            continue
        if arn not in there or request.world.part(Propagation).is_under_way(arn):
            raise AwsFault("MalformedPolicyDocumentException", INVALID)


RULES = {
    ("kms", "CreateKey"): refuse_unknown_principals,
    ("kms", "PutKeyPolicy"): refuse_unknown_principals,
}
