"""EC2 filters over what has many values, as AWS reads them: any value may match any pattern.

moto asks for all of them, so that `tag-key` with two keys finds only what carries both.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection
from typing import Any


def install() -> None:
    """Mend moto's filter function; harmless when done before."""
    from moto.ec2 import utils

    original = utils.is_filter_matching
    if getattr(original, "mended", False):
        return

    def is_filter_matching(obj: Any, name: str, patterns: Any) -> bool:
        value = obj.get_filter_value(name)
        if isinstance(patterns, list) and _is_many(value):
            return any(fnmatch.fnmatchcase(str(v), str(p)) for v in value for p in patterns)
        return bool(original(obj, name, patterns))

    is_filter_matching.mended = True  # type: ignore[attr-defined]
    utils.is_filter_matching = is_filter_matching  # type: ignore[assignment]
    _mend_offerings()


def _mend_offerings() -> None:
    """Let the offerings of instance types be looked for by pattern, too: `g*.xlarge`.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html
    """
    from moto.ec2.models.instance_types import InstanceTypeOfferingBackend

    def matches_filters(
        _: Any, offering: dict[str, Any], filters: dict[str, list[str]], location_type: str
    ) -> bool:
        del location_type
        told = {"instance-type": offering["InstanceType"], "location": offering["Location"]}
        return all(
            any(fnmatch.fnmatchcase(told.get(name, ""), pattern) for pattern in patterns)
            for name, patterns in filters.items()
        )

    InstanceTypeOfferingBackend.matches_filters = matches_filters  # type: ignore[assignment,method-assign]


def _is_many(value: Any) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str | bytes)
