"""`preflight permissions`: written for other tools, and tested against principals and documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from preflight.aws import Aws
from preflight.sandbox.server import Sandbox

ACCOUNT = "111122223333"
SPEC = {
    "name": "dev",
    "region": "us-west-2",
    "account": ACCOUNT,
    "instance_types": [{"type": "m7i.large", "capacity": ["on-demand"]}],
}
ADMIN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@pytest.fixture
def spec() -> str:
    Path("cluster.yaml").write_text(yaml.safe_dump(SPEC), encoding="utf-8")
    return "cluster.yaml"


def test_nothing_is_asked_of_aws_when_the_spec_names_the_account(
    preflight: Any, spec: str, sandbox: Sandbox
) -> None:
    ran = preflight("permissions", "-f", spec)

    assert ran.code == 0
    assert not list(sandbox.world.calls)
    written = json.loads(ran.out)
    assert set(written["policies"]) >= {"preflight-dev-1"}
    assert set(written["boundary"]) == {"preflight-dev-boundary"}


def test_the_account_is_the_caller_s_where_the_spec_names_none(
    preflight: Any, sandbox: Sandbox
) -> None:
    ran = preflight("permissions", "dev", "--region", "us-west-2")

    assert f":{sandbox.account}:role/preflight/dev--us-west-2/" in ran.out


def test_what_it_writes_it_finds_sufficient_and_a_part_of_it_short(
    preflight: Any, spec: str
) -> None:
    said = preflight("permissions", "-f", spec, "--to", "out").out.split()
    *parts, boundary = (part for name in said for part in ("--offline", name))

    whole = preflight("permissions", "-f", spec, *parts[:-1], "--boundary", boundary)
    short = preflight("permissions", "-f", spec, *parts[2:-1])

    assert whole.code == 0, whole.out
    assert "permissions sufficient" in whole.out
    assert short.code == 3
    assert "nothing allows it" in short.out


def test_a_condition_that_nobody_can_tell_is_not_known_and_never_a_pass(
    preflight: Any, spec: str
) -> None:
    home = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    document = {**ADMIN, "Statement": [{**ADMIN["Statement"][0], "Condition": home}]}  # type: ignore[dict-item]
    Path("home.json").write_text(json.dumps(document), encoding="utf-8")

    ran = preflight("permissions", "-f", spec, "--offline", "home.json", "-o", "json")

    assert ran.code == 4
    findings = json.loads(ran.out)["findings"]
    assert {each["status"] for each in findings} == {"unknown", "warn"}
    assert any("aws:SourceIp" in each["message"] for each in findings)


def test_a_document_that_is_no_policy_is_refused(preflight: Any, spec: str) -> None:
    Path("bad.json").write_text('{"Statement": {"Effect": "Perhaps"}}', encoding="utf-8")

    ran = preflight("permissions", "-f", spec, "--offline", "bad.json")

    assert ran.code == 2
    assert "Effect is Allow or Deny" in ran.message()


def test_a_principal_is_tested_by_simulation(preflight: Any, sandbox: Sandbox, spec: str) -> None:
    users = [{"user": "alice", "policies": [ADMIN]}, {"user": "bob", "policies": []}]
    sandbox.reset({"account": {"id": ACCOUNT, "region": "us-west-2"}, "principals": users})

    alice = preflight(
        "permissions", "-f", spec, "--principal", f"arn:aws:iam::{ACCOUNT}:user/alice"
    )
    bob = preflight("permissions", "-f", spec, "--principal", f"arn:aws:iam::{ACCOUNT}:user/bob")

    assert alice.code == 0, alice.out
    assert bob.code == 3
    assert f"arn:aws:iam::{ACCOUNT}:user/bob may not do ec2:CreateVpc" in " ".join(bob.out.split())


def test_a_principal_of_another_account_is_refused(preflight: Any, spec: str) -> None:
    ran = preflight("permissions", "-f", spec, "--principal", "arn:aws:iam::999999999999:role/a")

    assert ran.code == 7


def test_the_vendor_s_own_list_comes_with_a_warning(preflight: Any, spec: str) -> None:
    ran = preflight("permissions", "-f", spec, "--managed")

    assert "arn:aws:iam::aws:policy/IAMFullAccess" in json.loads(ran.out)["managed_policy_arns"]
    assert "become anybody" in ran.err


def test_cloudformation_makes_of_the_template_the_same_documents(preflight: Any, spec: str) -> None:
    template = json.loads(preflight("permissions", "-f", spec, "--format", "cloudformation").out)
    written = json.loads(preflight("permissions", "-f", spec).out)

    made = {
        one["Properties"]["ManagedPolicyName"]: one["Properties"]["PolicyDocument"]
        for one in template["Resources"].values()
    }
    assert made == {**written["policies"], **written["boundary"]}


def test_sweep_adds_the_deletion_of_what_controllers_left(preflight: Any, spec: str) -> None:
    least, more = (preflight("permissions", "-f", spec, *given).out for given in ((), ("--sweep",)))

    assert "elasticloadbalancing:DeleteLoadBalancer" not in least
    assert "elasticloadbalancing:DeleteLoadBalancer" in more


def test_aws_takes_every_document_it_writes(preflight: Any, spec: str, sandbox: Sandbox) -> None:
    written = json.loads(preflight("permissions", "-f", spec).out)
    aws = Aws("us-west-2")

    for name, document in {**written["policies"], **written["boundary"]}.items():
        aws.call("iam", "CreatePolicy", PolicyName=name, PolicyDocument=json.dumps(document))
    made = {one["PolicyName"] for one in aws.each("iam", "ListPolicies", "Policies", Scope="Local")}
    assert made == {*written["policies"], *written["boundary"]}
