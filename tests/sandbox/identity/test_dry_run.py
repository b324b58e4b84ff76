"""Trials of EC2: `DryRun` says what a real call would, and changes nothing.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

Admin = Any
Refusal = Any


#: What botocore wants by itself before it sends anything.
NEEDED = {"CopySnapshot": {"SourceRegion": "us-east-1"}}


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


def trial(client: Any, operation: str) -> str:
    """Try an operation with nothing but the flag: it must not even look at the rest."""
    with pytest.raises(ClientError) as caught:
        client._make_api_call(operation, {"DryRun": True, **NEEDED.get(operation, {})})
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
