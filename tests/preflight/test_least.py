"""Policies written from actions: held to what each call carries, few, and within AWS's limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from preflight.actions import Action
from preflight.errors import PlanError
from preflight.found import Owner
from preflight.least import LONGEST, MOST, Least, least, size
from preflight.policy import Context, Policy, Principal, Request, evaluate

OWNER = Owner(cluster="dev", account="111122223333", region="eu-west-2")
VPC = "arn:aws:ec2:eu-west-2:111122223333:vpc/*"
MAKE = Action(name="ec2:CreateVpc", on=(VPC,), tagged=True)
BUILDER = Principal(arn="arn:aws:iam::111122223333:role/builder")


def written(*actions: Action, looks: tuple[Action, ...] = ()) -> Least:
    return least(actions, OWNER, looks)


def statements(made: Least) -> Iterator[dict[str, Any]]:
    for document in made.policies.values():
        yield from document["Statement"]


def allows(made: Least, action: str, resource: str, **keys: str) -> bool:
    context = Context.of({key.replace("__", ":"): value for key, value in keys.items()})
    policies = [Policy.parse(document) for document in made.policies.values()]
    request = Request(action=action, principal=BUILDER, resource=resource, context=context)
    return evaluate(request, identity=policies).allowed


def test_what_is_made_must_carry_the_cluster_s_tag() -> None:
    made = written(MAKE)
    here = VPC.replace("*", "vpc-1")

    assert allows(made, "ec2:CreateVpc", here, **{"aws:RequestTag/preflight:cluster": "dev"})
    assert not allows(made, "ec2:CreateVpc", here, **{"aws:RequestTag/preflight:cluster": "prod"})
    assert not allows(made, "ec2:CreateVpc", here)


def test_what_is_deleted_must_carry_the_cluster_s_tag_where_its_id_is_not_known_before() -> None:
    made = written(MAKE, Action(name="ec2:DeleteVpc", on=(VPC,)))
    here = VPC.replace("*", "vpc-1")

    assert allows(made, "ec2:DeleteVpc", here, **{"aws:ResourceTag/preflight:cluster": "dev"})
    assert not allows(made, "ec2:DeleteVpc", here, **{"aws:ResourceTag/preflight:cluster": "prod"})


def test_a_thing_that_nobody_tags_is_not_asked_for_a_tag() -> None:
    interface = VPC.replace("vpc/", "network-interface/")

    made = written(MAKE, Action(name="ec2:DeleteNetworkInterface", on=(interface,)))

    assert allows(made, "ec2:DeleteNetworkInterface", interface.replace("*", "eni-1"))


def test_a_role_may_be_passed_to_its_own_product_only_and_never_crosswise() -> None:
    one, two = "arn:aws:iam::111122223333:role/one", "arn:aws:iam::111122223333:role/two"
    made = written(
        Action(
            name="iam:PassRole", on=(one,), context={"iam:PassedToService": "eks.amazonaws.com"}
        ),
        Action(
            name="iam:PassRole", on=(two,), context={"iam:PassedToService": "ec2.amazonaws.com"}
        ),
    )

    assert allows(made, "iam:PassRole", one, iam__PassedToService="eks.amazonaws.com")
    assert not allows(made, "iam:PassRole", one, iam__PassedToService="ec2.amazonaws.com")
    assert not allows(made, "iam:PassRole", two, iam__PassedToService="eks.amazonaws.com")


def test_an_empty_condition_key_is_left_out() -> None:
    role = "arn:aws:iam::111122223333:role/a"
    made = written(
        Action(name="iam:CreateRole", on=(role,), context={"iam:PermissionsBoundary": ""})
    )

    assert "PermissionsBoundary" not in json.dumps(dict(made.policies))
    assert allows(made, "iam:CreateRole", role)


def test_looks_are_held_to_the_region_and_checks_may_look_home_too() -> None:
    made = written(
        Action(name="ec2:DescribeVpcs"), looks=(Action(name="servicequotas:ListServiceQuotas"),)
    )

    assert allows(made, "ec2:DescribeVpcs", "*", aws__RequestedRegion="eu-west-2")
    assert not allows(made, "ec2:DescribeVpcs", "*", aws__RequestedRegion="us-east-1")
    home = {"aws__RequestedRegion": "us-east-1"}
    assert allows(made, "servicequotas:ListServiceQuotas", "*", **home)


def test_the_same_statement_holds_all_actions_of_one_product_on_the_same_things() -> None:
    made = written(*(Action(name=f"ec2:Describe{what}") for what in ("Vpcs", "Subnets", "Hosts")))

    (only,) = statements(made)
    assert only["Sid"] == "Ec2Look"
    assert len(only["Action"]) == 3


def test_every_document_is_within_the_limit_and_its_sids_differ() -> None:
    queues = (f"arn:aws:sqs:eu-west-2:111122223333:queue-{n:03}" for n in range(300))
    made = written(*(Action(name="sqs:CreateQueue", on=(arn,), tagged=True) for arn in queues))

    assert 1 < len(made.policies) <= MOST
    for document in made.policies.values():
        assert size(document) <= LONGEST
        sids = [one["Sid"] for one in document["Statement"]]
        assert len(sids) == len(set(sids))
    assert allows(
        made,
        "sqs:CreateQueue",
        "arn:aws:sqs:eu-west-2:111122223333:queue-299",
        **{"aws:RequestTag/preflight:cluster": "dev"},
    )


def test_many_node_groups_become_one_pattern_under_the_cluster_s_name() -> None:
    group = "arn:aws:eks:eu-west-2:111122223333:nodegroup/dev/{:04}-of-a-rather-long-name/*"
    groups = [group.format(n) for n in range(800)]
    made = written(*(Action(name="eks:DeleteNodegroup", on=(arn,)) for arn in groups))

    (only,) = statements(made)
    assert only["Resource"] == ["arn:aws:eks:eu-west-2:111122223333:nodegroup/dev/*"]


def test_what_does_not_fit_ten_policies_at_all_is_refused() -> None:
    names = (f"arn:aws:sqs:eu-west-2:111122223333:{'q' * 75}-{n:04}" for n in range(600))

    with pytest.raises(PlanError, match="a role takes 10"):
        written(*(Action(name="sqs:DeleteQueue", on=(arn,)) for arn in names))


def test_the_boundary_keeps_to_the_region_and_to_the_owner_s_roles() -> None:
    role = "arn:aws:iam::111122223333:role/preflight/dev--eu-west-2/node/dev--eu-west-2-node"
    made = written(MAKE, Action(name="iam:CreateRole", on=(role,), tagged=True))
    everything = Policy.parse(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
        }
    )
    boundary = Policy.parse(made.boundary)

    def may(action: str, resource: str, region: str = "eu-west-2") -> bool:
        context = Context.of({"aws:RequestedRegion": region})
        request = Request(action=action, principal=BUILDER, resource=resource, context=context)
        return evaluate(request, identity=[everything], boundary=boundary).allowed

    assert may("ec2:CreateVpc", VPC)
    assert not may("ec2:CreateVpc", VPC, "ap-south-1")
    assert may("iam:CreateRole", role)
    assert not may("iam:CreateRole", "arn:aws:iam::111122223333:role/admin")
    assert not may("iam:DeleteRolePermissionsBoundary", BUILDER.arn)
    assert not may("rds:CreateDBInstance", "*")
