"""Who calls, who builds, and in which account."""

from __future__ import annotations

from typing import Any

import pytest

from checks.identity import identity
from checks.principal import Principal, PrincipalKind
from preflight.finding import Status


@pytest.mark.parametrize(
    ("arn", "kind", "name"),
    [
        ("arn:aws:iam::111122223333:user/teams/ml/alice", PrincipalKind.USER, "alice"),
        ("arn:aws:sts::111122223333:user/alice", PrincipalKind.USER, "alice"),
        ("arn:aws:sts::111122223333:assumed-role/ops/me@example.com", PrincipalKind.ROLE, "ops"),
        (
            "arn:aws-us-gov:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123/me",
            PrincipalKind.SSO_ROLE,
            "AWSReservedSSO_Admin_0123",
        ),
        ("arn:aws:sts::111122223333:federated-user/bob", PrincipalKind.FEDERATED_USER, "bob"),
        ("arn:aws-cn:iam::111122223333:root", PrincipalKind.ROOT, "root"),
        ("nonsense", PrincipalKind.OTHER, "nonsense"),
    ],
)
def test_a_caller_is_read_off_its_arn(arn: str, kind: PrincipalKind, name: str) -> None:
    principal = Principal.of(arn)

    assert (principal.kind, principal.name) == (kind, name)
    assert principal.account == ("" if kind is PrincipalKind.OTHER else "111122223333")


def test_another_account_than_the_spec_says_fails(bench: Any) -> None:
    found = bench.ask(identity, bench.context(account="999988887777"))

    assert found["account"].status is Status.FAIL
    assert "999988887777" in found["account"].message
    assert found["account"].data["expected"] == "999988887777"


def test_the_account_of_the_spec_passes(bench: Any) -> None:
    found = bench.ask(identity, bench.context(account="111122223333"))

    assert {finding.status for finding in found.values()} == {Status.PASS}
    assert found["caller"].data["kind"] == "user"


def test_the_role_that_was_assumed_is_named_as_the_builder(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder", path="/vendor/")])
    arn = "arn:aws:iam::111122223333:role/vendor/builder"
    caller = bench.aws()
    context = bench.context(aws=caller.assume(arn), caller=caller, role_arn=arn)

    found = bench.ask(identity, context)

    assert {subject: finding.status for subject, finding in found.items()} == dict.fromkeys(
        ("caller", "builder", "account", "role"), Status.PASS
    )
    assert found["builder"].data["kind"] == "role"


def test_a_role_that_was_not_assumed_fails(bench: Any) -> None:
    bench.begin(principals=[bench.role("builder"), bench.role("other")])
    caller = bench.aws()
    other = caller.assume("arn:aws:iam::111122223333:role/other")
    wanted = "arn:aws:iam::111122223333:role/builder"

    found = bench.ask(identity, bench.context(aws=other, caller=caller, role_arn=wanted))

    assert found["role"].status is Status.FAIL
    assert "assumed-role/other" in found["role"].message


def test_a_role_of_another_partition_than_the_region_s_fails(bench: Any) -> None:
    role = "arn:aws-cn:iam::111122223333:role/builder"

    found = bench.ask(identity, bench.context(role_arn=role))

    wrong = found["partition of the role"]
    assert wrong.status is Status.FAIL
    assert "aws-cn" in wrong.message
    assert "partition of the caller" not in found
