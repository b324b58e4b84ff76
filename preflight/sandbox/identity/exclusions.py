"""Which policies a simulation leaves out, to tell what each of them is worth.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyIdentifier.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from preflight.policy import plain_tokens, regex
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.identity.iam import Source


def invalid_input(message: str) -> AwsFault:
    """Say that the request makes no sense."""
    return AwsFault("InvalidInput", message, 400)


@dataclass(frozen=True, kw_only=True)
class Exclusions:
    """The policies a simulation is to leave out."""

    types: frozenset[str]
    arns: tuple[re.Pattern[str], ...]
    inline: tuple[Mapping[str, str], ...]

    def drop(self, source: Source) -> bool:
        """Say whether a policy is left out."""
        if source.kind in self.types:
            return True
        if source.arn:
            return any(pattern.fullmatch(source.arn) for pattern in self.arns)
        return any(_names(one, source) for one in self.inline)


def _names(identifier: Mapping[str, str], source: Source) -> bool:
    holder = regex(plain_tokens(identifier.get("AttachmentName", "*")))
    return (
        identifier.get("PolicyName") == source.name
        and identifier.get("AttachmentType", source.holder_type).lower() == source.holder_type
        and holder.fullmatch(source.holder) is not None
    )


def exclusions_of(entries: Iterable[Mapping[str, Any]]) -> Exclusions:
    """Read a PolicyExclusionList; raises InvalidInput for a malformed ARN."""
    rows = list(entries)
    arns = [str(one["PolicyArn"]) for one in rows if "PolicyArn" in one]
    for arn in arns:
        prefix, _, name = arn.rpartition("/")
        if not arn.startswith("arn:") or re.search(r"[*?]", prefix) or name.count("*") > 1:
            raise invalid_input(f"Invalid policy ARN in PolicyExclusionList: {arn}")
    return Exclusions(
        types=frozenset(str(one["PolicyType"]) for one in rows if "PolicyType" in one),
        arns=tuple(regex(plain_tokens(arn)) for arn in arns),
        inline=tuple(
            one["InlinePolicyIdentifier"] for one in rows if "InlinePolicyIdentifier" in one
        ),
    )
