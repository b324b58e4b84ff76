"""How much room session policies and session tags take, and what AWS refuses of them.

How AWS packs them is not published: here they are compressed, and compared with the limit of the
plain text. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity import iam
from preflight.sandbox.request import Request

#: Characters of an inline session policy and the ARNs of the managed ones together.
LONGEST = 2048
MOST_POLICIES = 10
MOST_TAGS = 50


def policy_arns(wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the managed policies that a session is to be limited by."""
    return tuple(entry["arn"] for entry in wanted.get("PolicyArns", []) if "arn" in entry)


def packed_percent(request: Request, tags: Mapping[str, str]) -> int:
    """Give PackedPolicySize, 0 where there is nothing to pack; raises AWS's faults for too much."""
    wanted = request.parameters
    policy, arns = str(wanted.get("Policy") or ""), policy_arns(wanted)
    _at_most("policyArns", len(arns), MOST_POLICIES)
    for arn in arns:
        iam.policy_document(request.world, arn)
    _at_most("tags", len(tags), MOST_TAGS)
    _at_most("policy", len(policy) + sum(map(len, arns)), LONGEST)
    if not (policy or arns or tags):
        return 0
    text = json.dumps([policy, arns, dict(tags)], separators=(",", ":"))
    percent = -(-len(zlib.compress(text.encode(), 9)) * 100 // LONGEST)
    if percent > 100:
        message = f"Packed policy consumes {percent}% of allotted space, please use smaller policy."
        raise AwsFault("PackedPolicyTooLarge", message, 400)
    return percent


def _at_most(member: str, given: int, most: int) -> None:
    if given > most:
        message = (
            f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {most}"
        )
        raise AwsFault("ValidationError", message)
