"""Names that something else has: a cluster, a role, a bucket of this account or of another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checks.taken_names import taken_names
from preflight.finding import Status
from preflight.names import BUCKET, ROLE

SERVICE = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}}
TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{**SERVICE, "Action": "sts:AssumeRole"}]}
)


def planned(context: Any, rule: Any) -> list[str]:
    return sorted({name.value for name in context.plan.names if name.rule == rule})


def make_role(bench: Any, name: str, path: str) -> str:
    made = bench.aws().call(
        "iam", "CreateRole", RoleName=name, Path=path, AssumeRolePolicyDocument=TRUST
    )
    return str(made["Role"]["Arn"])


def make_cluster(bench: Any, **tags: str) -> None:
    aws = bench.aws()
    vpc = aws.call("ec2", "CreateVpc", CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        aws.call(
            "ec2", "CreateSubnet", VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=zone
        )["Subnet"]["SubnetId"]
        for n, zone in enumerate(("us-west-2a", "us-west-2b"))
    ]
    policy = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
    role = make_role(bench, "somebody", "/")
    aws.call("iam", "AttachRolePolicy", RoleName="somebody", PolicyArn=policy)
    network = {"subnetIds": subnets}
    aws.call(
        "eks", "CreateCluster", name="dev", roleArn=role, resourcesVpcConfig=network, tags=tags
    )


def test_in_an_empty_account_every_name_is_free(bench: Any) -> None:
    found = bench.ask(taken_names, bench.context())

    assert {one.status for one in found.values()} == {Status.PASS}
    assert {subject.split()[0] for subject in found} == {"cluster", "roles", "bucket"}


def test_a_cluster_that_somebody_else_made_has_the_name(bench: Any) -> None:
    make_cluster(bench)

    found = bench.ask(taken_names, bench.context())["cluster dev"]

    assert found.status is Status.FAIL
    assert "Preflight did not make it" in found.message
    assert found.data["taken_by"].endswith(":cluster/dev")


def test_the_cluster_that_is_asked_for_may_stand_already(bench: Any) -> None:
    make_cluster(bench, **{"preflight:cluster": "dev"})

    assert bench.statuses(taken_names, bench.context())["cluster dev"] is Status.PASS


def test_a_role_has_the_name_whatever_its_case_and_path(bench: Any) -> None:
    context = bench.context()
    name = planned(context, ROLE)[0]
    arn = make_role(bench, name.upper(), "/teams/")

    found = bench.ask(taken_names, context)

    assert found[f"role {name}"].status is Status.FAIL
    assert arn in found[f"role {name}"].message
    assert "roles" not in found


def test_roles_of_an_earlier_build_of_this_cluster_may_stay(bench: Any) -> None:
    context = bench.context()
    role = next(one for one in context.plan.resources if one.kind == "iam/role")
    name = next(value for rule, value in role.names() if rule == ROLE)
    make_role(bench, name, f"{role.parameters['path_prefix']}{role.name}/")

    assert bench.statuses(taken_names, context)["roles"] is Status.PASS


def test_an_own_bucket_is_used_again_and_somebody_else_s_is_not(bench: Any) -> None:
    context = bench.context()
    first, second = planned(context, BUCKET)
    bench.begin(elsewhere={"buckets": [second]})
    place = {"LocationConstraint": "us-west-2"}
    bench.aws().call("s3", "CreateBucket", Bucket=first, CreateBucketConfiguration=place)

    found = bench.ask(taken_names, bench.context())

    assert found[f"bucket {first}"].status is Status.PASS
    assert "used again" in found[f"bucket {first}"].message
    assert found[f"bucket {second}"].status is Status.FAIL
    assert "belongs to another account" in found[f"bucket {second}"].message


def test_where_every_name_is_refused_one_that_nobody_has_tells_why(bench: Any) -> None:
    names = planned(bench.context(), BUCKET)
    bench.begin(elsewhere={"buckets": names})

    found = bench.statuses(taken_names, bench.context())

    assert {found[f"bucket {name}"] for name in names} == {Status.FAIL}


def test_whoever_may_not_ask_for_buckets_does_not_take_them_for_somebody_else_s(bench: Any) -> None:
    context = bench.as_builder(
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"},
    )

    found = bench.ask(taken_names, context)

    assert found["buckets"].status is Status.UNKNOWN
    assert found["buckets"].data["missing_action"] == "s3:ListBucket"
    assert found["cluster dev"].status is Status.PASS


def test_a_look_at_a_bucket_that_fails_is_unknown(bench: Any) -> None:
    context = bench.context()
    context.aws.clock.sleep = lambda _: None
    bench.fault({"action": "s3:HeadBucket", "error": "500", "status": 500})

    assert bench.statuses(taken_names, context)["buckets"] is Status.UNKNOWN


@pytest.mark.parametrize(
    ("action", "subject"),
    [
        ("eks:ListClusters", "clusters"),
        ("iam:ListRoles", "roles"),
        ("s3:ListAllMyBuckets", "buckets"),
    ],
)
def test_a_list_that_is_denied_takes_nothing_from_the_others(
    bench: Any, action: str, subject: str
) -> None:
    context = bench.context()
    bench.deny(action)

    found = bench.ask(taken_names, context)

    assert found[subject].status is Status.UNKNOWN
    assert found[subject].data["missing_action"] == action
    assert Status.PASS in {one.status for one in found.values()}
