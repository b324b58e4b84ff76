"""The generated policies: with them the whole way works, without any one action it does not.

The proof asks every action, and takes one run. Each question of the way was also put, at the same
moment and to the same evaluator, to policies from which its action was taken out. A run with such
policies is the same up to that question, since policies name actions one by one and so answer all
others alike; there it is denied. That a denied run does end is seen in test_for_real.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from preflight.least import LONGEST, MOST, READS, Document, Least, size
from preflight.policy import Context, Outcome, Policy, Principal, Request, evaluate
from provision.resources.kinds import KINDS

DENIED = {Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY}
BUILDER = Principal(arn="arn:aws:iam::111122223333:user/builder")
#: What the commands can do without: one look at all tags spares the scan a dozen others, and a
#: boundary that can be read spares the check calls of the simulator.
DONE_WITHOUT = frozenset({"ec2:DescribeTags", "iam:GetUser"})

#: What AWS scopes to no resource, looked up in
#: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
UNSCOPABLE = frozenset(
    """
    autoscaling:DescribeAccountLimits autoscaling:DescribeAutoScalingGroups ec2:DescribeAddresses
    ec2:DescribeAvailabilityZones ec2:DescribeCapacityReservations
    ec2:DescribeInstanceTypeOfferings ec2:DescribeInstanceTypes ec2:DescribeInstances
    ec2:DescribeInternetGateways ec2:DescribeLaunchTemplateVersions ec2:DescribeLaunchTemplates
    ec2:DescribeNatGateways ec2:DescribeNetworkInterfaces ec2:DescribeRegions
    ec2:DescribeRouteTables ec2:DescribeSecurityGroupRules ec2:DescribeSecurityGroups
    ec2:DescribeSnapshots ec2:DescribeSpotInstanceRequests ec2:DescribeSubnets ec2:DescribeVolumes
    ec2:DescribeVpcEndpoints ec2:DescribeVpcs eks:CreateCluster eks:DescribeClusterVersions
    eks:ListClusters elasticloadbalancing:DescribeLoadBalancers elasticloadbalancing:DescribeTags
    elasticloadbalancing:DescribeTargetGroups events:ListEventBuses events:ListRules
    guardduty:CreateDetector guardduty:ListDetectors iam:GetAccountSummary
    iam:ListInstanceProfiles iam:ListOpenIDConnectProviders iam:ListPolicies iam:ListRoles
    kms:CreateKey kms:ListAliases kms:ListKeys logs:CreateLogDelivery logs:DeleteLogDelivery
    logs:DescribeLogGroups logs:DescribeResourcePolicies logs:PutResourcePolicy
    route53resolver:GetResolverQueryLogConfigAssociation
    route53resolver:ListResolverQueryLogConfigAssociations
    route53resolver:ListResolverQueryLogConfigs s3:ListAllMyBuckets
    servicequotas:GetAWSDefaultServiceQuota
    servicequotas:ListAWSDefaultServiceQuotas servicequotas:ListServiceQuotas sns:ListTopics
    sqs:ListQueues tag:GetResources
    """.split()
)
#: A look at limits: each would be an ARN of its own, and every plan asks about others.
NOT_WORTH_IT = frozenset({"servicequotas:GetServiceQuota"})
#: Resources of an action that this way gives no occasion to ask about, and why not.
NEVER_ASKED: Mapping[str, str] = {
    "ec2:AuthorizeSecurityGroupEgress security-group-rule": "AWS asks about it, the sandbox not",
    "ec2:AuthorizeSecurityGroupIngress security-group-rule": "AWS asks about it, the sandbox not",
    "ec2:RunInstances image": "which one EKS takes for its nodes is not known in the sandbox",
    "iam:SimulatePrincipalPolicy role": "the builder is a user here",
}
#: What can be done to another cluster, too, and why no policy can tell the two apart.
NOT_OURS_ALONE: Mapping[str, str] = {
    "iam:CreateServiceLinkedRole": "one for the whole account",
    "iam:RemoveRoleFromInstanceProfile": "the profile is somebody's; no key says whose the role is",
    "kms:CreateAlias": "KMS may not see the tag of a new key yet",
    "kms:CreateGrant": "KMS may not see the tag of a new key yet",
    "kms:EnableKeyRotation": "KMS may not see the tag of a new key yet",
    "logs:CreateLogDelivery": "AWS scopes it to nothing",
    "logs:DeleteLogDelivery": "AWS scopes it to nothing",
    "logs:PutResourcePolicy": "AWS scopes it to nothing",
    "route53resolver:AssociateResolverQueryLogConfig": "when a new tag is seen is not documented",
    # What AWS does in the builder's name: whether it carries tags of his is not documented.
    "ec2:CreateTags": "EC2 Auto Scaling, for a node group",
    "ec2:RunInstances": "EC2 Auto Scaling, for a node group",
    "route53:AssociateVPCWithHostedZone": "EC2, for an endpoint",
}


def statements(least: Least) -> Iterator[Document]:
    for document in least.policies.values():
        yield from document["Statement"]


def parsed(*statements: Document) -> list[Policy]:
    return [Policy.parse({"Version": "2012-10-17", "Statement": list(statements)})]


def about(least: Least, action: str) -> list[Document]:
    """Give the statements that have a say on an action, cut down to it."""
    return [{**one, "Action": [action]} for one in statements(least) if action in one["Action"]]


def type_of(arn: str) -> str:
    return arn.split(":", 5)[5].partition("/")[0]


def test_with_the_generated_policies_the_whole_way_works(way: Any) -> None:
    assert way.through, (way.codes, way.said[-2000:])
    denied = {heard.request.action for heard in way.heard if heard.outcome in DENIED}
    assert denied == DONE_WITHOUT


def test_every_question_of_the_way_names_the_resource_it_is_about(way: Any) -> None:
    unknown = {heard.request.action for heard in way.heard if heard.request.resource is None}

    assert unknown == {"ec2:RunInstances"}  # the image that EKS takes for nodes


def test_the_way_makes_one_of_every_kind_of_resource(walk: Any) -> None:
    assert set(walk.plan.kinds) == set(KINDS)


def test_with_any_one_action_taken_out_a_question_of_the_way_is_denied(walk: Any, way: Any) -> None:
    assert not [name for name in walk.least.actions if "*" in name or "?" in name]
    denied = {one.request.action for one in way.heard if one.without is Outcome.IMPLICIT_DENY}

    assert set(walk.least.actions) <= denied


def test_every_resource_of_every_action_is_needed(walk: Any, way: Any) -> None:
    asked: defaultdict[str, list[Request]] = defaultdict(list)
    for heard in way.heard:
        asked[heard.request.action].append(heard.request)
    idle = {
        f"{action} {type_of(arn)}"
        for action in walk.least.actions
        for arn, rest in _with_one_resource_less(about(walk.least, action))
        if not _denies_any(rest, asked[action])
    }

    assert idle == set(NEVER_ASKED)


def _with_one_resource_less(given: list[Document]) -> Iterator[tuple[str, list[Document]]]:
    for number, one in enumerate(given):
        for arn in one["Resource"]:
            kept = [other for other in one["Resource"] if other != arn]
            rest = [{**one, "Resource": kept}] if kept else []
            yield arn, [*given[:number], *rest, *given[number + 1 :]]


def _denies_any(given: list[Document], requests: Iterable[Request]) -> bool:
    identity = parsed(*given) if given else []
    return any(evaluate(one, identity=identity).outcome in DENIED for one in requests)


def fitting(statement: Document, action: str, arn: str) -> Request:
    """Write a request that exactly this statement is about."""
    clauses = statement.get("Condition", {}).values()
    values = {
        key: [wanted] if isinstance(wanted, str) else wanted[:1]
        for clause in clauses
        for key, wanted in clause.items()
    }
    resource = arn.replace("*", "some-1")
    return Request(action=action, principal=BUILDER, resource=resource, context=Context.of(values))


def grants(least: Least) -> Iterator[tuple[Document, str, str]]:
    for one in statements(least):
        for action in one["Action"]:
            for arn in one["Resource"]:
                yield one, action, arn


def test_every_condition_of_every_statement_holds_something_back(walk: Any) -> None:
    idle = []
    for one, action, arn in grants(walk.least):
        identity = parsed(*about(walk.least, action))
        request = fitting(one, action, arn)
        assert evaluate(request, identity=identity).allowed
        for key in (key for clause in one.get("Condition", {}).values() for key in clause):
            other = {**request.context.values, key.lower(): ("somebody-else",)}
            strange = replace(request, context=Context(values=other))
            if evaluate(strange, identity=identity).outcome not in DENIED:
                idle.append((action, arn, key))

    assert not idle


def test_every_resource_of_every_statement_holds_something_back(walk: Any) -> None:
    idle = []
    for one, action, arn in grants(walk.least):
        if arn == "*":
            continue
        request = fitting(one, action, arn)
        stranger = ":".join([*arn.split(":", 5)[:4], "999988887777", "some/thing"])
        strange = replace(request, resource=stranger)
        if evaluate(strange, identity=parsed(*about(walk.least, action))).outcome not in DENIED:
            idle.append((action, arn))

    assert not idle


def test_no_resource_is_a_star_where_aws_knows_better(walk: Any) -> None:
    stars = {
        action
        for one in statements(walk.least)
        if one["Resource"] == ["*"]
        for action in one["Action"]
    }

    # One that is new: look it up, and give it its resources, or a place in the list.
    assert stars == UNSCOPABLE | NOT_WORTH_IT


def test_a_star_is_held_to_the_region_where_the_product_is_regional(walk: Any) -> None:
    loose = {
        action.partition(":")[0]
        for one in statements(walk.least)
        if one["Resource"] == ["*"] and not one.get("Condition")
        for action in one["Action"]
    }

    assert loose <= {"iam", "s3"}


def test_what_was_changed_of_this_cluster_could_not_be_changed_of_another(
    walk: Any, way: Any
) -> None:
    identity = parsed(*statements(walk.least))
    open_to = set()
    for request in (heard.request for heard in way.heard):
        if request.action.partition(":")[2].startswith(READS):
            continue
        if evaluate(_of_another(request), identity=identity).outcome not in DENIED:
            open_to.add(request.action)

    assert open_to == set(NOT_OURS_ALONE)


def _of_another(request: Request) -> Request:
    """Ask the same about a cluster called prod: its names, its tags."""
    values = {
        key: tuple(value.replace("dev", "prod") for value in values)
        for key, values in request.context.values.items()
    }
    return replace(
        request,
        resource=request.resource and request.resource.replace("dev", "prod"),
        context=Context(
            values={**values, "aws:resourcetag/preflight:cluster": ("prod",)},
            unknown=request.context.unknown,
        ),
    )


@pytest.mark.parametrize("also", ["policies", "boundary"])
def test_every_document_is_within_aws_s_limits(walk: Any, also: str) -> None:
    least = walk.least
    documents = [least.boundary] if also == "boundary" else list(least.policies.values())

    assert len(documents) <= MOST
    assert max(map(size, documents)) <= LONGEST
