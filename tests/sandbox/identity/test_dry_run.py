"""Trials of EC2: `DryRun` says what a real call would, and changes nothing.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html
"""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

Admin = Any
Refusal = Any

#: The smallest value of each type that can be seen on the wire.
LEAST: dict[str, Any] = {
    "blob": b"x",
    "boolean": True,
    "double": 1.0,
    "float": 1.0,
    "integer": 1,
    "long": 1,
    "string": "x",
    "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
}


def state(admin: Admin) -> Any:
    with urllib.request.urlopen(f"{admin.sandbox.endpoint}/_sandbox/state") as answer:  # noqa: S310
        return json.load(answer)


def test_a_trial_creates_nothing_and_says_what_a_real_call_would(
    admin: Admin, refusal: Refusal
) -> None:
    ec2 = admin.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    code, status, message = refusal(ec2.create_vpc, CidrBlock="10.2.0.0/16", DryRun=True)
    assert (code, status) == ("DryRunOperation", 412)
    assert message == "Request would have succeeded, but DryRun flag is set."
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    user = admin.user().client("ec2")
    refused = refusal(user.create_vpc, CidrBlock="10.2.0.0/16", DryRun=True)
    assert refused[0] == "UnauthorizedOperation"


def least(shape: Any) -> Any:
    """Give a structure with what it requires, or with one member if that is nothing."""
    if shape.type_name == "list":
        return [least(shape.member)]
    if shape.type_name != "structure":
        if shape.type_name in {"integer", "long"}:
            return shape.metadata.get("min") or LEAST[shape.type_name]
        return shape.enum[0] if getattr(shape, "enum", None) else LEAST[shape.type_name]
    names = shape.required_members or list(shape.members)[:1]
    return {name: least(shape.members[name]) for name in names}


def trial(client: Any, operation: str) -> str:
    """Try an operation with what it needs to be read: it must not look for what that names."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    with pytest.raises(ClientError) as caught:
        client._make_api_call(operation, {**least(shape), "DryRun": True})
    return str(caught.value.response["Error"]["Code"])


def test_every_operation_that_has_the_flag_honours_it(admin: Admin) -> None:
    as_is = {"parameter_validation": False}
    user = admin.user({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})
    allowed = user.client("ec2", **as_is)
    denied = admin.user().client("ec2", **as_is)
    model = allowed.meta.service_model
    operations = [
        name
        for name in model.operation_names
        if "DryRun" in getattr(model.operation_model(name).input_shape, "members", ())
    ]
    assert len(operations) > 600
    before = state(admin)
    answers = {name: (trial(allowed, name), trial(denied, name)) for name in operations}
    expected = ("DryRunOperation", "UnauthorizedOperation")
    assert {name: one for name, one in answers.items() if one != expected} == {}
    assert state(admin) == before
