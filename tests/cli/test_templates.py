"""What is written for Terraform, CloudFormation and the AWS CLI: each is read or run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from hcl2 import SerializationOptions

from preflight.aws import Aws
from preflight.least import LONGEST, MOST, size
from preflight.sandbox.server import Sandbox
from preflight.secret import SecretFile
from preflight.state import default_folder

ACCOUNT = "111122223333"
ID = "an-external-id/with+all=of,its.@signs:0"
ROLE = "grid-cloud"
SPEC = {
    "name": "dev",
    "region": "us-west-2",
    "account": ACCOUNT,
    "instance_types": [{"type": "m7i.large", "capacity": ["on-demand"]}],
}
PLAIN = SerializationOptions(strip_string_quotes=True, explicit_blocks=False)
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
LONGEST_INLINE = 10_240
#: What the AWS CLI does with the few commands that are exported.
AWS = """#!{python}
import sys
from botocore import xform_name
from botocore.session import get_session
_, service, operation, *rest = sys.argv
client = get_session().create_client(service, region_name="us-west-2")
(name,) = (n for n in client.meta.service_model.operation_names if xform_name(n, "-") == operation)
members = client.meta.service_model.operation_model(name).input_shape.members
given = {{}}
for option, value in zip(rest[::2], rest[1::2], strict=True):
    (member,) = (m for m in members if "--" + xform_name(m, "-") == option)
    given[member] = int(value) if members[member].type_name == "integer" else value
getattr(client, xform_name(name))(**given)
"""


@pytest.fixture(autouse=True)
def spec() -> None:
    Path("cluster.yaml").write_text(yaml.safe_dump(SPEC), encoding="utf-8")


@pytest.fixture
def exported(preflight: Any) -> Any:
    """Write a role for another tool."""

    def export(form: str, *more: str) -> str:
        ran = preflight("role", "export", ROLE, "--format", form, "--account", ACCOUNT, *more)
        assert ran.code == 0, ran.err
        return str(ran.out)

    return export


def least(given: bool) -> tuple[str, ...]:
    return ("--least", "-f", "cluster.yaml") if given else ()


def blocks(text: str) -> dict[str, dict[str, Any]]:
    """Read HCL: resources by their address, with the documents as they are."""
    opened = text.replace("jsonencode(", "").replace("\n  })\n", "\n  }\n")
    read = hcl2.loads(opened, serialization_options=PLAIN)
    return {
        f"{kind}.{label}": body
        for block in read["resource"]
        for kind, labelled in block.items()
        for label, body in labelled.items()
    }


def test_terraform_gets_every_document_as_it_is(preflight: Any) -> None:
    text = preflight("permissions", "-f", "cluster.yaml", "--format", "terraform").out
    written = json.loads(preflight("permissions", "-f", "cluster.yaml").out)

    read = blocks(text)

    assert {one["name"]: one["policy"] for one in read.values()} == {
        **written["policies"],
        **written["boundary"],
    }


@pytest.mark.parametrize("given", [False, True])
def test_a_role_for_terraform_refers_to_nothing_that_is_not_there(
    exported: Any, given: bool
) -> None:
    text = exported("terraform", *least(given))

    read = blocks(text)

    (role,) = (address for address in read if address.startswith("aws_iam_role."))
    attached = [one for name, one in read.items() if name.startswith("aws_iam_role_policy_att")]
    assert all(one["role"] == f"${{{role}.name}}" for one in attached)
    referred = [one["policy_arn"] for one in attached]
    referred.append(read[role].get("permissions_boundary", "arn:"))
    policies = {f"${{{name}.arn}}" for name in read if name.startswith("aws_iam_policy.")}
    assert {one for one in referred if not one.startswith("arn:")} == policies
    assert bool(policies) is given
    assert len(attached) <= MOST
    trust = read[role]["assume_role_policy"]["Statement"][0]
    assert trust["Condition"]["StringEquals"]["sts:ExternalId"] == "${var.external_id}"
    (variable,) = hcl2.loads(text, serialization_options=PLAIN)["variable"]
    assert variable["external_id"]["sensitive"] is True


def test_every_document_that_is_exported_is_within_aws_s_limits(exported: Any) -> None:
    for given in (False, True):
        read = blocks(exported("terraform", *least(given)))
        for address, one in read.items():
            if address.startswith("aws_iam_policy."):
                assert size(one["policy"]) <= LONGEST
        inline = [one["policy"] for name, one in read.items() if "aws_iam_role_policy." in name]
        assert sum(map(size, inline)) <= LONGEST_INLINE


#: What CloudFormation requires of the two types, and the type of each property.
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-managedpolicy.html
TYPES: Mapping[str, tuple[frozenset[str], Mapping[str, type | tuple[type, ...]]]] = {
    "AWS::IAM::ManagedPolicy": (
        frozenset({"PolicyDocument"}),
        {"ManagedPolicyName": str, "PolicyDocument": dict},
    ),
    "AWS::IAM::Role": (
        frozenset({"AssumeRolePolicyDocument"}),
        {
            "RoleName": str,
            "Path": str,
            "MaxSessionDuration": int,
            "AssumeRolePolicyDocument": dict,
            "ManagedPolicyArns": list,
            "Policies": list,
            "PermissionsBoundary": (str, dict),
        },
    ),
}


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for each in value for name in references(each)}
    if not isinstance(value, dict):
        return set()
    if set(value) == {"Ref"}:
        return {str(value["Ref"])}
    if set(value) == {"Fn::GetAtt"}:
        return {str(value["Fn::GetAtt"][0])}
    return {name for each in value.values() for name in references(each)}


@pytest.mark.parametrize(
    "command",
    [
        ("permissions", "-f", "cluster.yaml"),
        ("permissions", "-f", "cluster.yaml", "--sweep"),
        ("role", "export", ROLE, "--account", ACCOUNT),
        ("role", "export", ROLE, "--account", ACCOUNT, *least(True)),
    ],
    ids=["permissions", "sweep", "role", "least-role"],
)
def test_a_template_is_what_cloudformation_takes(preflight: Any, command: tuple[str, ...]) -> None:
    text = preflight(*command, "--format", "cloudformation").out

    template = json.loads(text)

    assert len(text.encode()) <= 51_200, "the longest template that may be given as a body"
    assert set(template) <= {"AWSTemplateFormatVersion", "Parameters", "Resources", "Outputs"}
    assert template["AWSTemplateFormatVersion"] == "2010-09-09"
    assert all(name.isalnum() for name in template["Resources"])
    for one in template["Resources"].values():
        required, properties = TYPES[one["Type"]]
        assert set(one) == {"Type", "Properties"}
        assert required <= set(one["Properties"]) <= set(properties)
        assert all(isinstance(v, properties[key]) for key, v in one["Properties"].items())
    known = {*template["Resources"], *template.get("Parameters", {})}
    assert references(template) <= known


def told(aws: Aws) -> dict[str, Any]:
    """Read everything about the role, with what it is held to under names of no path."""
    role = aws.call("iam", "GetRole", RoleName=ROLE)["Role"]
    edge = (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    attached = aws.each("iam", "ListAttachedRolePolicies", "AttachedPolicies", RoleName=ROLE)
    inline = aws.each("iam", "ListRolePolicies", "PolicyNames", RoleName=ROLE)
    return {
        "trust": role["AssumeRolePolicyDocument"],
        "seconds": role["MaxSessionDuration"],
        "boundary": edge and document_of(aws, edge),
        "attached": {
            one["PolicyName"]: one["PolicyArn"]
            if ":aws:policy/" in one["PolicyArn"]
            else document_of(aws, one["PolicyArn"])
            for one in attached
        },
        "inline": {
            name: aws.call("iam", "GetRolePolicy", RoleName=ROLE, PolicyName=name)["PolicyDocument"]
            for name in inline
        },
    }


def document_of(aws: Aws, arn: str) -> Any:
    version = aws.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = aws.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
    return found["PolicyVersion"]["Document"]


SHAPE = (
    *("--trust", f"arn:aws:iam::{ACCOUNT}:user/alice"),
    *("--trust-without-external-id", f"arn:aws:iam::{ACCOUNT}:user/bob"),
    *("--session-seconds", "7200"),
)
USERS = [{"user": name, "policies": []} for name in ("alice", "bob")]


@pytest.fixture
def made(preflight: Any, sandbox: Sandbox) -> Any:
    """Make the role with Preflight, read it, and begin a new account."""

    def make(*more: str) -> dict[str, Any]:
        scenario = {
            "account": {"id": ACCOUNT, "region": "us-west-2"},
            "rates": "off",
            "principals": USERS,
        }
        sandbox.reset(scenario)
        ran = preflight(
            *("role", "create", ROLE, "--yes", "--external-id", ID, "--region", "us-west-2"), *more
        )
        assert ran.code == 0, ran.err
        assert SecretFile.of_role(default_folder(), ACCOUNT, ROLE).read() == ID
        found = told(Aws("us-west-2"))
        sandbox.reset(scenario)
        return found

    return make


@pytest.mark.parametrize("given", [False, True])
def test_the_exported_commands_make_the_very_role(
    made: Any, exported: Any, tmp_path: Path, given: bool
) -> None:
    wanted = made(*SHAPE, *least(given))
    script = exported("aws-cli", *SHAPE, *least(given), "--region", "us-west-2")
    stand_in = tmp_path / "bin" / "aws"
    stand_in.parent.mkdir()
    stand_in.write_text(AWS.format(python=sys.executable), encoding="utf-8")
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"

    ran = subprocess.run(
        ["sh", "-c", script],
        env={**os.environ, "PATH": path, "EXTERNAL_ID": ID},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ran.returncode == 0, ran.stderr
    assert told(Aws("us-west-2")) == wanted
    assert ID not in ran.stdout + ran.stderr + script


@pytest.mark.parametrize("given", [False, True])
def test_the_exported_template_makes_the_very_role(made: Any, exported: Any, given: bool) -> None:
    wanted = made(*SHAPE, *least(given))
    template = exported("cloudformation", *SHAPE, *least(given), "--region", "us-west-2")
    aws = Aws("us-west-2")

    make_stack(aws, json.loads(template), ID)

    assert told(aws) == wanted


def make_stack(aws: Aws, template: Mapping[str, Any], external_id: str) -> None:
    """Do what CloudFormation would with the few things that are in a template."""
    known: dict[str, str] = {"ExternalId": external_id}

    def resolved(value: Any) -> Any:
        if isinstance(value, list):
            return [resolved(each) for each in value]
        if isinstance(value, dict):
            ref = value.get("Ref")
            return known[ref] if ref else {key: resolved(each) for key, each in value.items()}
        return value

    for name, one in sorted(template["Resources"].items(), key=lambda each: each[1]["Type"]):
        given = resolved(one["Properties"])
        if one["Type"] == "AWS::IAM::ManagedPolicy":
            document = json.dumps(given["PolicyDocument"])
            answer = aws.call(
                "iam",
                "CreatePolicy",
                PolicyName=given["ManagedPolicyName"],
                PolicyDocument=document,
            )
            known[name] = answer["Policy"]["Arn"]
            continue
        role = {"RoleName": given["RoleName"]}
        trust = json.dumps(given["AssumeRolePolicyDocument"])
        more = {k: given[k] for k in ("Path", "MaxSessionDuration") if k in given}
        if "PermissionsBoundary" in given:
            more["PermissionsBoundary"] = given["PermissionsBoundary"]
        aws.call("iam", "CreateRole", **role, AssumeRolePolicyDocument=trust, **more)
        for arn in given["ManagedPolicyArns"]:
            aws.call("iam", "AttachRolePolicy", **role, PolicyArn=arn)
        for policy in given["Policies"]:
            aws.call(
                "iam",
                "PutRolePolicy",
                **role,
                PolicyName=policy["PolicyName"],
                PolicyDocument=json.dumps(policy["PolicyDocument"]),
            )


@pytest.mark.parametrize("given", [False, True])
def test_terraform_is_told_the_very_role(made: Any, exported: Any, given: bool) -> None:
    wanted = made(*SHAPE, *least(given))

    read = blocks(exported("terraform", *SHAPE, *least(given), "--region", "us-west-2"))

    (role,) = (one for address, one in read.items() if address.startswith("aws_iam_role."))
    policies = {
        one["name"]: one["policy"]
        for name, one in read.items()
        if ".name" not in name and name.startswith("aws_iam_policy.")
    }
    trust = json.loads(json.dumps(role["assume_role_policy"]).replace("${var.external_id}", ID))
    assert trust == wanted["trust"]
    assert role["max_session_duration"] == wanted["seconds"]
    inline = [one for name, one in read.items() if name.startswith("aws_iam_role_policy.")]
    assert {one["name"]: one["policy"] for one in inline} == wanted["inline"]
    own = {name: one for name, one in wanted["attached"].items() if isinstance(one, dict)}
    assert {n: one for n, one in policies.items() if n in own} == own
    assert [one for n, one in policies.items() if n not in own] == [wanted["boundary"]][:given]
