from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.model import OperationModel, Shape

from preflight.aws import READS, Aws, cli_word
from preflight.finding import LeftoverStatus
from preflight.found import Evidence, Found, Owner, Strength
from preflight.resource import Kind
from provision.rehearsal import MOST_COMMANDS, commands
from provision.resources.iam import path, policy_name, role_name
from provision.resources.kinds import KINDS
from provision.resources.policies import Policy
from provision.resources.roles import Role
from provision.resources.s3 import Bucket, bucket_name
from provision.resources.sqs import Queue
from provision.strays.groups import ControllerGroup
from provision.strays.kinds import STRAYS
from provision.strays.volumes import Volume
from provision.sweeper import Leftover, Sweep, findings

ALL: tuple[type[Kind], ...] = (*KINDS, *STRAYS)
OWN = ("preflight", "scan", "--region", "us-west-2", "--delete", "prod")
#: What `delete` of some kinds needs beside the id.
DETAIL = {
    "bus": "default",
    "cluster": "prod",
    "config": "rqlc-1",
    "group": "sg-1",
    "role": "node",
    "vpc": "vpc-1",
    "way": "Ingress",
}
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeVolumes", "Resource": "*"}],
}


def thing(kind: type[Kind], id: str = "x/y-1", **fields: Any) -> Found:
    proof = Evidence(strength=Strength.A, text="made up")
    found = {"kind": kind.kind, "id": id, "region": "us-west-2", "cluster": "prod", "name": "n"}
    return Found(**{**found, "evidence": (proof,), "detail": DETAIL, **fields})


@cache
def operation(client: str, word: str) -> OperationModel:
    name = "s3" if client == "s3api" else client
    model = botocore.session.get_session().get_service_model(name)
    (found,) = [each for each in model.operation_names if cli_word(each) == word]
    return model.operation_model(found)


def parse(command: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Read a command as the AWS CLI does; raises where it would not take it."""
    program, client, word, *words = command
    assert program == "aws"
    model = operation(client, word)
    members: dict[str, Shape] = {
        cli_word(name): shape for name, shape in model.input_shape.members.items()
    }
    names = {cli_word(name): name for name in model.input_shape.members}
    given: dict[str, Any] = {}
    for option, values in options(words):
        if option == "region":
            continue
        bare = option.removeprefix("no-") if option not in members else option
        given[names[bare]] = value_of(members[bare], option == bare, values)
    missing = set(model.input_shape.required_members) - set(given)
    assert not missing, f"{word} needs {missing}"
    return model.name, given


def options(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    while words:
        option, equals, value = words.pop(0).partition("=")
        assert option.startswith("--"), option
        values = [value] if equals else []
        while not equals and words and not words[0].startswith("-"):
            values.append(words.pop(0))
        yield option.removeprefix("--"), values


def value_of(shape: Shape, positive: bool, values: list[str]) -> Any:
    if shape.type_name == "boolean":
        assert not values
        return positive
    if shape.type_name == "list" and not values[0].startswith(("[", "{")):
        return values
    (value,) = values
    if shape.type_name in {"list", "structure", "map"}:
        return json.loads(value)
    return int(value) if shape.type_name == "integer" else value


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.kind)
def test_every_kind_is_removed_by_commands_that_aws_knows_or_by_our_own(kind: type[Kind]) -> None:
    said = commands(kind, thing(kind))

    assert said
    if said == (OWN,):
        assert any(action.name.split(":")[1].startswith(READS) for action in kind.deletes), (
            "nothing to look at first, so there is a command"
        )
        return
    declared = {action.name.split(":")[1] for action in kind.deletes}
    for command in said:
        name, given = parse(command)
        assert name in declared
        assert given
        assert command[-2:] == ("--region", "us-west-2")


def test_an_id_stays_one_value_whatever_it_looks_like() -> None:
    for id in ("-rf", "--help", "a b", "$(rm -rf /)", "'; rm -rf /", "*", "a\nb", "[x"):
        (command,) = commands(Volume, thing(Volume, id))
        assert parse(command) == ("DeleteVolume", {"VolumeId": id})
        assert tuple(shlex.split(shlex.join(command))) == command
    assert commands(Volume, thing(Volume, "file:///etc/passwd")) == (OWN,)
    (command,) = commands(Queue, thing(Queue, "https://sqs.us-west-2.amazonaws.com/1/q"))
    assert parse(command)[1] == {"QueueUrl": "https://sqs.us-west-2.amazonaws.com/1/q"}


def test_a_cluster_whose_name_looks_like_an_option_stays_a_name() -> None:
    found = thing(Role, cluster="--yes")

    assert commands(Role, found)[0][-2:] == ("--", "--yes")


def test_a_hint_is_the_same_commands_quoted_for_a_shell() -> None:
    found = thing(Volume, "vol; reboot")
    left = Leftover(found=found, kind=Volume, status=LeftoverStatus.LEFTOVER)

    (said,) = findings(Sweep(leftovers=(left,), coverage=()), datetime.now(UTC))

    assert said.hint == "aws ec2 delete-volume --volume-id 'vol; reboot' --region us-west-2"
    assert [shlex.split(said.hint)] == said.data["delete"]


def done(aws: Aws, said: tuple[tuple[str, ...], ...]) -> None:
    """Do what the commands say, exactly."""
    for command in said:
        name, given = parse(command)
        client = "s3" if command[1] == "s3api" else command[1]
        aws.call(client, name, **given)


def test_a_role_goes_by_its_commands_when_the_account_is_asked_what_is_on_it(
    builder: Callable[[str], Any], connect: Callable[[], Aws]
) -> None:
    prod = builder("prod")
    own: Owner = prod.owner
    policy = Policy(
        name="own",
        path_prefix=path(own),
        policy_name=policy_name(own, "own"),
        document=DOCUMENT,
    )
    role = Role(
        name="node",
        path_prefix=path(own),
        role_name=role_name(own, "node"),
        services=("ec2.amazonaws.com",),
        managed=("arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",),
        policies=(policy,),
        inline={"in-line": DOCUMENT},
    )
    prod.build(role)
    (found,) = Role.find(prod.aws, own)
    assert commands(Role, found) == ((*OWN[:4], "--delete", "prod"),)
    asking = connect()

    said = commands(Role, found, asking)

    assert [command[2] for command in said] == [
        *["detach-role-policy"] * 2,
        "delete-role-policy",
        "delete-role",
    ]
    assert asking.calls.total == 3
    assert all(name.split(":")[1].startswith(READS) for name in asking.calls.by_operation)
    done(prod.aws, said)
    assert list(Role.find(prod.aws, own)) == []


def test_a_bucket_with_much_in_it_goes_by_our_own_command_and_not_by_half_a_recipe(
    builder: Callable[[str], Any],
) -> None:
    prod = builder("prod")
    prod.build(Bucket(name="logs", bucket_name=bucket_name(prod.owner, "logs")))
    (found,) = Bucket.find(prod.aws, prod.owner)
    for number in range(MOST_COMMANDS + 1):
        prod.aws.call("s3", "CreateMultipartUpload", Bucket=found.id, Key=f"-{number}")
    assert commands(Bucket, found, prod.aws) == (OWN,)
    for upload in list(prod.aws.each("s3", "ListMultipartUploads", "Uploads", Bucket=found.id)):
        prod.aws.call(
            "s3",
            "AbortMultipartUpload",
            Bucket=found.id,
            Key=upload["Key"],
            UploadId=upload["UploadId"],
        )
    prod.aws.call("s3", "PutObject", Bucket=found.id, Key="- a 'b'", Body=b"x")

    done(prod.aws, commands(Bucket, found, prod.aws))

    assert list(Bucket.find(prod.aws, prod.owner)) == []


def test_groups_that_name_each_other_go_by_their_commands(
    builder: Callable[[str], Any], aws: Aws
) -> None:
    tags = [
        {
            "ResourceType": "security-group",
            "Tags": [{"Key": "elbv2.k8s.aws/cluster", "Value": "prod"}],
        }
    ]
    vpc = aws.call("ec2", "DescribeVpcs")["Vpcs"][0]["VpcId"]
    ids = [
        aws.call(
            "ec2",
            "CreateSecurityGroup",
            GroupName=name,
            Description=name,
            VpcId=vpc,
            TagSpecifications=tags,
        )["GroupId"]
        for name in ("one", "two")
    ]
    for group, other in (ids, ids[::-1]):
        aws.call(
            "ec2",
            "AuthorizeSecurityGroupIngress",
            GroupId=group,
            IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": other}]}],
        )
    owner = builder("prod").owner
    found = list(ControllerGroup.find(aws, owner))

    said = [commands(ControllerGroup, one) for one in found]

    revoking = [command for each in said for command in each[:-1]]
    deleting = [each[-1] for each in said]
    assert [command[2] for command in revoking] == ["revoke-security-group-ingress"] * 2
    done(aws, (*revoking, *deleting))
    assert list(ControllerGroup.find(aws, owner)) == []
