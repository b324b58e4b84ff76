"""What the state of an account leaves out, because AWS keeps or forgets it by itself.

Service-linked roles and the keys of AWS's services (`alias/aws/...`) are made for the account when
they are first needed, and stay. Terminated instances, deleted peering
connections and prefix lists are shown for some hours more. A key that waits
for its deletion is gone at the end of its window, whatever anybody does but cancelling.
https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def is_left_out(thing: Any) -> bool:
    """Whether a resource of moto's is no part of the state."""
    own = vars(thing) if hasattr(thing, "__dict__") else {}
    if str(own.get("path", "")).startswith("/aws-service-role/"):
        return True
    if "key_state" in own:
        return own["key_state"] == "PendingDeletion" or _is_of_aws(own.get("aliases", {}))
    if own.get("instances") and isinstance(own["instances"], list):
        return all(is_left_out(instance) for instance in own["instances"])
    if str(own.get("caller_reference", "")).startswith("DelSet_"):
        # The name servers of one zone, which moto keeps as if they could be used for others.
        return True
    if (
        getattr(own.get("_status"), "code", "") == "deleted"
        or own.get("state") == "delete-complete"
    ):
        return True
    return getattr(own.get("_state"), "name", "") == "terminated"


def _is_of_aws(aliases: Mapping[str, Any]) -> bool:
    return any(name.startswith("alias/aws/") for name in aliases)


def pending_keys(kms: Any) -> Iterator[dict[str, str]]:
    """Tell which keys of a Region wait for their deletion, and until when."""
    for key in kms.keys.values():
        if key.key_state == "PendingDeletion":
            yield {"arn": key.arn, "until": key.deletion_date.isoformat()}
