"""A role made elsewhere, with the vendor's own list and nothing more, is told what it lacks."""

from __future__ import annotations

from typing import Any

from checks.permissions import permissions
from preflight import profile
from preflight.finding import Status


def test_a_role_of_the_vendor_s_own_module_lacks_kms_and_quotas_by_name(bench: Any) -> None:
    role = profile.load("grid").role
    assert role is not None
    extra = {"Effect": "Allow", "Action": list(role.actions), "Resource": "*"}
    made = bench.role("grid-cloud-made-elsewhere", extra)
    made["policies"] += role.managed_policy_arns()
    bench.begin(principals=[made])
    arn = "arn:aws:iam::111122223333:role/grid-cloud-made-elsewhere"
    context = bench.context(bench.aws().assume(arn), role_arn=arn)

    found = bench.ask(permissions, context)

    failed = {subject for subject, one in found.items() if one.status is Status.FAIL}
    assert {"kms:CreateKey", "kms:ScheduleKeyDeletion"} <= failed
    assert all(arn in found[name].message and name in found[name].message for name in failed)
    looks = found["actions of checks"]
    assert looks.status is Status.WARN
    assert "servicequotas:ListServiceQuotas" in looks.message
