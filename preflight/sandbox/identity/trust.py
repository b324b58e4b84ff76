"""Whether a role's trust policy lets somebody assume it, for the plain cases.

Known: principals by AWS account, ARN, `*`; actions with wildcards; the conditions StringEquals
and StringLike (IfExists too) on `sts:ExternalId`, `aws:PrincipalArn` and `aws:PrincipalAccount`.
A statement with any other condition, or with NotPrincipal or NotAction, does not match when it
allows and does match when it denies: what is not understood never lets anybody in.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from typing import Any

from preflight.sandbox.identity.principals import Principal

_ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?")
_KNOWN_KEYS = frozenset({"sts:externalid", "aws:principalarn", "aws:principalaccount"})


def is_trusted(
    trust: Mapping[str, Any], caller: Principal, action: str, parameters: Mapping[str, Any]
) -> bool:
    """Decide from the trust policy alone; an explicit Deny wins."""
    context = {
        "sts:externalid": parameters.get("ExternalId"),
        "aws:principalarn": caller.role_arn or caller.arn,
        "aws:principalaccount": caller.account,
    }
    allowed = False
    for statement in _list(trust.get("Statement", [])):
        denies = statement.get("Effect") == "Deny"
        if _matches(statement, caller, action, context, when_unknown=denies):
            if denies:
                return False
            allowed = True
    return allowed


def _matches(
    statement: Mapping[str, Any],
    caller: Principal,
    action: str,
    context: Mapping[str, str | None],
    *,
    when_unknown: bool,
) -> bool:
    if "NotPrincipal" in statement or "NotAction" in statement:
        return when_unknown
    actions = [str(pattern).lower() for pattern in _list(statement.get("Action", []))]
    if not any(fnmatch.fnmatchcase(action.lower(), pattern) for pattern in actions):
        return False
    if not any(_is_caller(name, caller) for name in _aws_principals(statement)):
        return False
    for operator, wanted in statement.get("Condition", {}).items():
        for key, values in wanted.items():
            answer = _holds(operator, key.lower(), _list(values), context)
            if answer is None:
                return when_unknown
            if not answer:
                return False
    return True


def _holds(
    operator: str, key: str, values: list[Any], context: Mapping[str, str | None]
) -> bool | None:
    """Test one condition; None when it is not one of the plain cases."""
    if_exists = operator.endswith("IfExists")
    name = operator.removesuffix("IfExists")
    if key not in _KNOWN_KEYS or name not in ("StringEquals", "StringLike", "ArnEquals", "ArnLike"):
        return None
    actual = context[key]
    if actual is None:
        return if_exists
    if name == "StringEquals":
        return actual in [str(value) for value in values]
    return any(fnmatch.fnmatchcase(actual, str(value).replace("[", "[[]")) for value in values)


def _aws_principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    if principal == "*":
        return ["*"]
    return [str(name) for name in _list(principal.get("AWS", []))]


def _is_caller(name: str, caller: Principal) -> bool:
    if name == "*":
        return True
    account = _ACCOUNT.fullmatch(name)
    if account:
        return account[1] == caller.account
    return name in (caller.arn, caller.role_arn)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
