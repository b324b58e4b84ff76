"""`preflight role`: made, verified, exported and deleted; its secret told to nobody unasked."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from preflight.aws import Aws
from preflight.cli.asked import connect
from preflight.errors import AccessDenied
from preflight.sandbox.server import Sandbox
from preflight.secret import SecretFile
from preflight.spec import ClusterSpec
from preflight.state import default_folder

ACCOUNT = "111122223333"
ALICE = ("AKIAALICE00000000000", "secret-of-alice")
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
SPEC = {
    "name": "dev",
    "region": "us-west-2",
    "instance_types": [{"type": "m7i.large", "capacity": ["on-demand"]}],
}


@pytest.fixture(autouse=True)
def account(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """An account in which alice may do anything, and is who calls."""
    policy = {"Version": "2012-10-17", "Statement": [ANYTHING]}
    alice = {"user": "alice", "access_key": list(ALICE), "policies": [policy]}
    sandbox.reset(
        {"account": {"id": ACCOUNT, "region": "us-west-2"}, "rates": "off", "principals": [alice]}
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ALICE[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ALICE[1])
    return sandbox


@pytest.fixture
def aws(sandbox: Sandbox) -> Aws:
    return Aws("us-west-2")


@pytest.fixture
def shown(preflight: Any) -> Callable[..., dict[str, str]]:
    """Give the status of each finding of `role show`."""

    def statuses(*more: str) -> dict[str, str]:
        report = json.loads(preflight("role", "show", "grid-cloud", "-o", "json", *more).out)
        return {each["subject"]: each["status"] for each in report.get("findings", [])}

    return statuses


def made(preflight: Any, *more: str) -> Any:
    ran = preflight("role", "create", "grid-cloud", "--yes", *more)
    assert ran.code == 0, ran.err
    return ran


def secret() -> str:
    return SecretFile.of_role(default_folder(), ACCOUNT, "grid-cloud").read() or ""


def trust_alice() -> tuple[str, str]:
    return "--trust", f"arn:aws:iam::{ACCOUNT}:user/alice"


def test_a_role_as_made_is_verified_down_to_a_refused_wrong_external_id(
    preflight: Any, shown: Any
) -> None:
    made(preflight, *trust_alice())

    assert set(shown().values()) == {"pass"}
    assert set(shown()) == {
        *("trust", "external id", "others", "session", "policies", "beyond", "assumed")
    }


def test_the_secret_is_printed_only_where_it_is_asked_for(preflight: Any) -> None:
    ran = made(preflight)
    seen = [ran.out, ran.err, *(preflight("role", "show", "grid-cloud").out,)]
    report = preflight("role", "show", "grid-cloud", "-o", "json").out
    kept = SecretFile.of_role(default_folder(), ACCOUNT, "grid-cloud").path

    assert len(secret()) == 30
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not any(secret() in text for text in [*seen, report])
    shell = preflight("role", "show", "grid-cloud", "--shell").out
    assert re.fullmatch(rf"export ROLE_ARN=\S+:role/\S+ EXTERNAL_ID={secret()}\n", shell)


def test_a_caller_whom_the_role_does_not_trust_cannot_try_it(preflight: Any, shown: Any) -> None:
    made(preflight)

    assert shown()["assumed"] == "skip"
    assert shown()["trust"] == "pass"


def test_a_role_that_asks_for_no_external_id_is_open_to_anybody(
    preflight: Any, shown: Any, aws: Aws
) -> None:
    made(preflight, *trust_alice())
    open_to_all = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": ["302180240179", f"arn:aws:iam::{ACCOUNT}:user/alice"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    aws.call(
        "iam",
        "UpdateAssumeRolePolicy",
        RoleName="grid-cloud",
        PolicyDocument=json.dumps(open_to_all),
    )

    statuses = shown()
    assert statuses["external id"] == "fail"
    assert statuses["assumed"] == "fail"
    assert preflight("role", "show", "grid-cloud").code == 3


def test_a_changed_external_id_shows_as_a_vendor_locked_out(preflight: Any, shown: Any) -> None:
    made(preflight, *trust_alice())

    assert shown("--external-id", "another-one")["trust"] == "fail"


def test_what_was_detached_or_attached_since_is_drift(preflight: Any, shown: Any, aws: Aws) -> None:
    made(preflight)
    role = {"RoleName": "grid-cloud"}
    policies = "arn:aws:iam::aws:policy/"
    aws.call("iam", "DetachRolePolicy", **role, PolicyArn=policies + "AmazonS3FullAccess")
    assert shown()["policies"] == "fail"

    aws.call("iam", "AttachRolePolicy", **role, PolicyArn=policies + "AmazonS3FullAccess")
    aws.call("iam", "AttachRolePolicy", **role, PolicyArn=policies + "AdministratorAccess")
    aws.call("iam", "DeleteRolePolicy", **role, PolicyName="preflight")
    aws.call("iam", "UpdateRole", **role, MaxSessionDuration=3600)

    statuses = shown()
    assert [statuses[each] for each in ("policies", "beyond", "session")] == ["warn"] * 3


def test_a_role_made_elsewhere_is_told_what_it_lacks(preflight: Any, aws: Aws) -> None:
    made(preflight)
    aws.call("iam", "DeleteRolePolicy", RoleName="grid-cloud", PolicyName="preflight")

    text = " ".join(preflight("role", "show", "grid-cloud").out.split())

    assert "do not allow account:GetRegionOptStatus" in text


def test_the_least_role_has_the_generated_policies_their_boundary_and_no_other(
    preflight: Any, shown: Any, aws: Aws
) -> None:
    Path("cluster.yaml").write_text(yaml.safe_dump(SPEC), encoding="utf-8")
    made(preflight, "--least", "-f", "cluster.yaml", *trust_alice(), "--session-seconds", "43200")

    listed = list(
        aws.each("iam", "ListAttachedRolePolicies", "AttachedPolicies", RoleName="grid-cloud")
    )
    role = aws.call("iam", "GetRole", RoleName="grid-cloud")["Role"]
    assert all(":policy/preflight/role-grid-cloud" in one["PolicyArn"] for one in listed)
    assert 1 <= len(listed) <= 10
    assert "boundary" in role["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert set(shown().values()) == {"pass"}
    arn, plain = role["Arn"], Aws("us-west-2").assume(role["Arn"], secret())
    assert plain.call("ec2", "DescribeVpcs")["Vpcs"] is not None
    with pytest.raises(Exception, match="not authorized"):
        plain.call("iam", "AttachRolePolicy", RoleName="grid-cloud", PolicyArn=arn)

    assert preflight("role", "delete", "grid-cloud", "--yes").code == 0
    left = aws.each("iam", "ListPolicies", "Policies", Scope="Local")
    assert not [one["PolicyName"] for one in left]


def test_a_new_version_of_a_least_policy_is_drift(preflight: Any, shown: Any, aws: Aws) -> None:
    made(preflight, "--least", "-f", _spec())
    listed = aws.each("iam", "ListPolicies", "Policies", Scope="Local")
    arn = next(one["Arn"] for one in listed if "boundary" not in one["PolicyName"])
    document = json.dumps({"Version": "2012-10-17", "Statement": [ANYTHING]})
    aws.call(
        "iam", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=document, SetAsDefault=True
    )

    assert shown()["policies"] == "warn"


def _spec() -> str:
    Path("cluster.yaml").write_text(yaml.safe_dump(SPEC), encoding="utf-8")
    return "cluster.yaml"


def _cluster(sandbox: Sandbox, aws: Aws, principal: str) -> None:
    """Make what `role delete` looks for: a cluster of Preflight's with an access entry."""
    trust = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}}
    document = {"Version": "2012-10-17", "Statement": [{**trust, "Action": "sts:AssumeRole"}]}
    role = aws.call(
        "iam", "CreateRole", RoleName="plane", AssumeRolePolicyDocument=json.dumps(document)
    )
    aws.call(
        "iam",
        "AttachRolePolicy",
        RoleName="plane",
        PolicyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
    )
    vpc = aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        aws.call(
            "ec2",
            "CreateSubnet",
            VpcId=vpc,
            CidrBlock=f"10.0.{n}.0/24",
            AvailabilityZone=aws.region + zone,
        )["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    aws.call(
        "eks",
        "CreateCluster",
        name="far",
        roleArn=role["Role"]["Arn"],
        resourcesVpcConfig={"subnetIds": subnets},
        accessConfig={"authenticationMode": "API"},
        tags={"preflight:cluster": "far.away"},
    )
    sandbox.world.clock.advance(3600)
    aws.call("eks", "CreateAccessEntry", clusterName="far", principalArn=principal)


def test_a_role_that_a_cluster_of_any_region_needs_is_not_deleted(
    preflight: Any, sandbox: Sandbox, aws: Aws
) -> None:
    made(preflight)
    arn = aws.call("iam", "GetRole", RoleName="grid-cloud")["Role"]["Arn"]
    elsewhere = aws.at("eu-west-1")
    _cluster(sandbox, elsewhere, arn)

    refused = preflight("role", "delete", "grid-cloud", "--yes")

    assert refused.code == 7
    assert "far.away in eu-west-1 still needs it" in refused.message()
    assert preflight("role", "show", "grid-cloud").code == 0
    elsewhere.call("eks", "DeleteAccessEntry", clusterName="far", principalArn=arn)
    assert preflight("role", "delete", "grid-cloud", "--yes").code == 0
    assert secret() == ""


@pytest.mark.parametrize("form", ["terraform", "cloudformation", "aws-cli"])
def test_an_export_asks_nobody_and_has_no_secret_in_it(
    preflight: Any, sandbox: Sandbox, form: str
) -> None:
    made(preflight)
    before = len(list(sandbox.world.calls))

    ran = preflight("role", "export", "grid-cloud", "--format", form, "--account", ACCOUNT)

    assert ran.code == 0
    assert len(list(sandbox.world.calls)) == before
    assert secret() not in ran.out
    assert "302180240179" in ran.out
    assert "AmazonS3FullAccess" in ran.out


def test_the_exported_commands_parse_and_carry_the_external_id(preflight: Any) -> None:
    script = preflight("role", "export", "grid-cloud", "--format", "aws-cli").out
    told = "aws() { printf '%s\\n' \"$@\"; }\n" + script
    environment = {**os.environ, "EXTERNAL_ID": "it's-a-secret"}

    ran = subprocess.run(
        ["sh", "-c", told], env=environment, check=True, capture_output=True, text=True
    )

    words = ran.stdout.split("\n")
    trust = json.loads(words[words.index("--assume-role-policy-document") + 1])
    condition = trust["Statement"][0]["Condition"]
    assert condition == {"StringEquals": {"sts:ExternalId": "it's-a-secret"}}


def test_a_template_of_cloudformation_takes_the_external_id_as_a_parameter(preflight: Any) -> None:
    text = preflight("role", "export", "grid-cloud", "--format", "cloudformation").out
    role = json.loads(text)["Resources"]["Role"]["Properties"]

    condition = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert condition == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}
    assert json.loads(text)["Parameters"]["ExternalId"]["NoEcho"] is True


def test_a_principal_without_external_id_is_warned_of(preflight: Any, shown: Any) -> None:
    alice = trust_alice()[1]
    ran = made(preflight, "--trust-without-external-id", alice)

    assert "warning: no secret keeps" in ran.err
    assert shown()["assumed"] == "fail"


def test_a_role_that_somebody_else_made_is_not_deleted(preflight: Any, aws: Aws) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    for path in ("/", "/preflight/dev--us-west-2/node/"):
        aws.call(
            "iam", "CreateRole", RoleName="theirs", Path=path, AssumeRolePolicyDocument=document
        )

        for command in ("delete", "create"):
            refused = preflight("role", command, "theirs", "--yes")
            assert refused.code == 7
            assert "was not made by `preflight role create`" in refused.message()

        assert aws.call("iam", "GetRole", RoleName="theirs")["Role"]["Path"] == path
        aws.call("iam", "DeleteRole", RoleName="theirs")


def test_a_role_made_from_another_region_is_told_with_that_region(preflight: Any) -> None:
    made(preflight, "--region", "eu-west-1")

    refused = preflight("role", "delete", "grid-cloud", "--yes", "--region", "us-west-2")

    assert refused.code == 7
    assert "--region eu-west-1" in refused.err
    assert preflight("role", "delete", "grid-cloud", "--yes", "--region", "eu-west-1").code == 0


def test_a_role_that_was_just_made_is_waited_for(
    preflight: Any, sandbox: Sandbox, aws: Aws
) -> None:
    policy = {"Version": "2012-10-17", "Statement": [ANYTHING]}
    alice = {"user": "alice", "access_key": list(ALICE), "policies": [policy]}
    account = {"id": ACCOUNT, "region": "us-west-2"}
    sandbox.reset(
        {"account": account, "principals": [alice], "consistency": {"iam_propagation": 2}}
    )
    made(preflight, *trust_alice())
    arn = aws.call("iam", "GetRole", RoleName="grid-cloud")["Role"]["Arn"]
    with pytest.raises(AccessDenied):
        aws.assume(arn, secret())

    report = json.loads(preflight("role", "show", "grid-cloud", "-o", "json").out)

    assert {each["subject"]: each["status"] for each in report["findings"]}["assumed"] == "pass"
    _, role, error = connect(ClusterSpec(name="dev", role_arn=arn, external_id=secret()), None)
    assert error is None
    assert ":assumed-role/grid-cloud/" in role.identity.arn


@pytest.mark.parametrize(
    ("principal", "condition", "status"),
    [
        ({"AWS": "arn:aws:iam::999988887777:root"}, {}, "warn"),
        ({"AWS": ["999988887777"]}, {}, "warn"),
        ("*", {}, "warn"),
        ({"Service": "ec2.amazonaws.com"}, {}, "warn"),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/corp"}, {}, "warn"),
        ({"AWS": "arn:aws:iam::999988887777:root"}, {"sts:ExternalId": "the-id"}, "pass"),
    ],
)
def test_whoever_was_let_in_since_is_named(
    preflight: Any, aws: Aws, principal: Any, condition: dict[str, str], status: str
) -> None:
    made(preflight, "--external-id", "the-id")
    trust = aws.call("iam", "GetRole", RoleName="grid-cloud")["Role"]["AssumeRolePolicyDocument"]
    added = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust["Statement"].append({**added, "Condition": {"StringEquals": condition}})
    document = json.dumps(trust)
    aws.call("iam", "UpdateAssumeRolePolicy", RoleName="grid-cloud", PolicyDocument=document)

    report = json.loads(preflight("role", "show", "grid-cloud", "-o", "json").out)

    (found,) = (each for each in report["findings"] if each["subject"] == "others")
    assert found["status"] == status
    (other,) = found["data"]["others"]
    assert other in found["message"]


@pytest.mark.parametrize("name", ["preflight", "more"])
def test_an_inline_policy_that_allows_more_is_drift(
    preflight: Any, shown: Any, aws: Aws, name: str
) -> None:
    made(preflight)
    document = json.dumps({"Version": "2012-10-17", "Statement": [ANYTHING]})
    aws.call(
        "iam", "PutRolePolicy", RoleName="grid-cloud", PolicyName=name, PolicyDocument=document
    )

    assert shown()["beyond"] == "warn"
    text = " ".join(preflight("role", "show", "grid-cloud").out.split())
    assert f"the inline policies {name}" in text


@pytest.mark.parametrize("drift", ["boundary", "inline", "attached"])
def test_a_least_role_that_may_do_more_since_is_drift(
    preflight: Any, shown: Any, aws: Aws, drift: str
) -> None:
    made(preflight, "--least", "-f", _spec())
    role = {"RoleName": "grid-cloud"}
    assert shown()["policies"] == "pass"

    if drift == "boundary":
        aws.call("iam", "DeleteRolePermissionsBoundary", **role)
    elif drift == "inline":
        document = json.dumps({"Version": "2012-10-17", "Statement": [ANYTHING]})
        aws.call("iam", "PutRolePolicy", **role, PolicyName="more", PolicyDocument=document)
    else:
        arn = "arn:aws:iam::aws:policy/AdministratorAccess"
        aws.call("iam", "AttachRolePolicy", **role, PolicyArn=arn)

    assert shown()["policies"] == "warn"


def test_made_again_a_role_gets_its_trust_and_policies_again(
    preflight: Any, shown: Any, aws: Aws
) -> None:
    made(preflight, *trust_alice())
    role = {"RoleName": "grid-cloud"}
    arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    nobody = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [nobody]})
    aws.call("iam", "DetachRolePolicy", **role, PolicyArn=arn)
    aws.call("iam", "DeleteRolePolicy", **role, PolicyName="preflight")
    aws.call("iam", "UpdateAssumeRolePolicy", **role, PolicyDocument=document)
    before, statuses = secret(), shown()
    assert {statuses[each] for each in ("trust", "policies")} == {"fail"}

    made(preflight, *trust_alice())

    assert set(shown().values()) == {"pass"}
    assert secret() == before


def test_an_external_id_that_could_not_be_given_is_not_kept(preflight: Any) -> None:
    made(preflight)
    before = secret()

    ran = preflight("role", "create", "grid-cloud", "--yes", "--external-id", "another-one")

    assert ran.code == 6
    assert secret() == before
