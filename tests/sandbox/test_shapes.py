"""What the sandbox answers by itself, held against the models of botocore.

An answer with a member the model does not know, of another type, or without a required one fails:
clients of other languages read by the same models, and are less forgiving than boto3.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StructureShape

from preflight.sandbox import table
from preflight.sandbox.request import Request
from preflight.sandbox.server import Sandbox
from preflight.sandbox.wire import operation_model
from preflight.sandbox.world import World

Client = Callable[..., Any]
PLAIN: Mapping[str, tuple[type, ...]] = {
    "blob": (bytes, str),
    "boolean": (bool,),
    "double": (int, float),
    "float": (int, float),
    "integer": (int,),
    "long": (int,),
    "string": (str,),
    "timestamp": (datetime, str, int, float),
}


def wrong(shape: Shape | None, value: Any, at: str = "answer") -> Iterator[str]:
    """Tell where a value does not agree with a shape."""
    if value is None:
        return
    if isinstance(shape, StructureShape):
        yield from wrong_structure(shape, value, at)
    elif isinstance(shape, ListShape):
        for number, inner in enumerate(value):
            yield from wrong(shape.member, inner, f"{at}[{number}]")
    elif isinstance(shape, MapShape):
        for key, inner in value.items():
            yield from wrong(shape.key, key, f"{at} key")
            yield from wrong(shape.value, inner, f"{at}.{key}")
    elif shape is not None:
        if not isinstance(value, PLAIN[shape.type_name]):
            yield f"{at}: {value!r} is no {shape.type_name}"
        elif shape.type_name == "string" and shape.enum and value not in shape.enum:
            yield f"{at}: {value!r} is none of {shape.enum[:5]}..."


def wrong_structure(shape: StructureShape, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{at}: {value!r} is no structure"
        return
    for name in value:
        if name not in shape.members:
            yield f"{at}: {shape.name} has no member {name}"
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{at}: {name} is missing"
    for name, inner in shape.members.items():
        yield from wrong(inner, value.get(name), f"{at}.{name}")


class Checked:
    """What the own operations of a sandbox answered, checked as they went by."""

    def __init__(self, _: World) -> None:
        self.seen: set[tuple[str, str]] = set()
        self.wrong: list[str] = []

    def wrap(self, operation: table.Operation) -> table.Operation:
        def carry_out(request: Request) -> Any:
            answer = operation(request)
            if isinstance(answer, Mapping):
                self.seen.add((request.service, request.operation))
                model = operation_model(request.service, request.operation)
                found = wrong(model.output_shape, answer, f"{request.service}.{request.operation}")
                self.wrong += found if model.output_shape else (f"{k}: no output" for k in answer)
            return answer

        return carry_out


@pytest.fixture
def checked(sandbox: Sandbox) -> Checked:
    """Put a check around every own operation of the running sandbox."""
    found = sandbox.world.part(Checked)
    operations = sandbox._server.app.table._operations
    for key, operation in operations.items():
        operations[key] = found.wrap(operation)
    return found


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {
                    "AWS": "arn:aws:iam::111122223333:root",
                    "Service": ["eks.amazonaws.com", "ec2.amazonaws.com"],
                },
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
READ = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}],
    }
)
IMAGES = "/aws/service/eks/optimized-ami"
Call = tuple[str, str, dict[str, Any]]


def calls(names: Mapping[str, Any]) -> list[Call]:
    """Give one call, or a few, of every own operation that can be called cheaply."""
    cluster = {"clusterName": "c"}
    group = {**cluster, "nodegroupName": "n"}
    role, key, vpc = names["role"], names["key"], names["vpc"]
    template = {"ImageId": "ami-1", "InstanceType": "t3.micro"}
    quota = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    return [
        ("account", "GetRegionOptStatus", {"RegionName": "af-south-1"}),
        ("account", "ListRegions", {}),
        ("autoscaling", "DescribeAccountLimits", {}),
        ("elb", "DescribeAccountLimits", {}),
        ("elbv2", "DescribeAccountLimits", {}),
        ("ec2", "DescribeCapacityReservations", {}),
        ("ec2", "DescribeReservedInstances", {}),
        ("ec2", "DescribeRegions", {"AllRegions": True}),
        ("ec2", "CreateLaunchTemplate", {
            "LaunchTemplateName": "t", "LaunchTemplateData": template,
        }),
        ("ec2", "RunInstances", {
            "ImageId": "ami-1", "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro",
            "SubnetId": names["subnets"][0], "InstanceMarketOptions": {"MarketType": "spot"},
            "TagSpecifications": [
                {"ResourceType": "instance", "Tags": [{"Key": "k", "Value": "v"}]}
            ],
        }),
        ("ec2", "DescribeSpotInstanceRequests", {}),
        ("ec2", "DescribeInternetGateways", {}),
        ("ec2", "DescribeLaunchTemplates", {}),
        ("ec2", "DescribeNatGateways", {}),
        ("ec2", "DescribeVpcEndpoints", {}),
        ("ec2", "DescribeTags", {}),
        ("ec2", "DeleteVpcEndpoints", {"VpcEndpointIds": ["vpce-0"]}),
        ("sts", "GetCallerIdentity", {}),
        ("sts", "GetSessionToken", {}),
        ("sts", "GetFederationToken", {"Name": "fed"}),
        ("sts", "GetAccessKeyInfo", {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}),
        ("sts", "AssumeRole", {"RoleArn": role, "RoleSessionName": "session"}),
        ("iam", "ListUsers", {}),
        ("iam", "ListInstanceProfiles", {}),
        ("iam", "GetContextKeysForCustomPolicy", {"PolicyInputList": [READ]}),
        ("iam", "GetContextKeysForPrincipalPolicy", {"PolicySourceArn": role}),
        ("iam", "SimulateCustomPolicy", {
            "PolicyInputList": [READ], "ActionNames": ["ec2:DescribeVpcs", "s3:GetObject"],
        }),
        ("iam", "SimulatePrincipalPolicy", {
            "PolicySourceArn": role, "ActionNames": ["ec2:DescribeVpcs"],
        }),
        ("kms", "ScheduleKeyDeletion", {"KeyId": key, "PendingWindowInDays": 7}),
        ("service-quotas", "ListServices", {}),
        ("service-quotas", "ListServiceQuotas", {"ServiceCode": "vpc"}),
        ("service-quotas", "ListAWSDefaultServiceQuotas", {"ServiceCode": "vpc"}),
        ("service-quotas", "GetServiceQuota", quota),
        ("service-quotas", "GetAWSDefaultServiceQuota", quota),
        ("service-quotas", "RequestServiceQuotaIncrease", {**quota, "DesiredValue": 50}),
        ("service-quotas", "ListRequestedServiceQuotaChangeHistory", {}),
        ("service-quotas", "ListRequestedServiceQuotaChangeHistoryByQuota", quota),
        ("ssm", "GetParameter", {"Name": names["image"]}),
        ("ssm", "GetParameters", {"Names": [names["image"]]}),
        ("ssm", "GetParametersByPath", {"Path": names["image"].rpartition("/")[0]}),
        ("route53resolver", "ListResolverQueryLogConfigs", {}),
        ("route53resolver", "ListResolverQueryLogConfigAssociations", {}),
        ("resourcegroupstaggingapi", "GetResources", {}),
        ("eks", "CreateCluster", {
            "name": "c", "roleArn": role, "resourcesVpcConfig": {"subnetIds": names["subnets"]},
            "accessConfig": {"authenticationMode": "API"}, "tags": {"k": "v"},
        }),
        ("eks", "DescribeCluster", {"name": "c"}),
        ("eks", "ListClusters", {}),
        ("clock", "", {"seconds": 700}),
        ("eks", "DescribeCluster", {"name": "c"}),
        ("eks", "CreateNodegroup", {
            **group, "nodeRole": role, "subnets": names["subnets"],
            "scalingConfig": {"minSize": 0, "maxSize": 1, "desiredSize": 0},
        }),
        ("eks", "CreateAddon", {**cluster, "addonName": "vpc-cni"}),
        ("clock", "", {"seconds": 700}),
        ("eks", "DescribeNodegroup", group),
        ("eks", "ListNodegroups", cluster),
        ("eks", "UpdateNodegroupConfig", {**group, "labels": {"addOrUpdateLabels": {"a": "b"}}}),
        ("eks", "ListUpdates", {"name": "c", "nodegroupName": "n"}),
        ("clock", "", {"seconds": 700}),
        ("eks", "DescribeAddon", {**cluster, "addonName": "vpc-cni"}),
        ("eks", "ListAddons", cluster),
        ("eks", "DescribeAddonVersions", {"addonName": "vpc-cni"}),
        ("eks", "DescribeClusterVersions", {}),
        ("eks", "CreateAccessEntry", {**cluster, "principalArn": names["other"]}),
        ("eks", "DescribeAccessEntry", {**cluster, "principalArn": names["other"]}),
        ("eks", "UpdateAccessEntry", {**cluster, "principalArn": names["other"], "username": "u"}),
        ("eks", "AssociateAccessPolicy", {
            **cluster, "principalArn": names["other"], "accessScope": {"type": "cluster"},
            "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        }),
        ("eks", "ListAssociatedAccessPolicies", {**cluster, "principalArn": names["other"]}),
        ("eks", "DisassociateAccessPolicy", {
            **cluster, "principalArn": names["other"],
            "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        }),
        ("eks", "ListAccessPolicies", {}),
        ("eks", "ListAccessEntries", cluster),
        ("eks", "DeleteAccessEntry", {**cluster, "principalArn": names["other"]}),
        ("eks", "CreatePodIdentityAssociation", {
            **cluster, "namespace": "n", "serviceAccount": "s", "roleArn": role,
        }),
        ("eks", "ListPodIdentityAssociations", cluster),
        ("eks", "ListFargateProfiles", cluster),
        ("eks", "ListIdentityProviderConfigs", cluster),
        ("eks", "UpdateClusterConfig", {"name": "c", "upgradePolicy": {"supportType": "STANDARD"}}),
        ("eks", "ListUpdates", {"name": "c"}),
        ("clock", "", {"seconds": 700}),
        ("eks", "TagResource", {"resourceArn": names["cluster"], "tags": {"a": "b"}}),
        ("eks", "ListTagsForResource", {"resourceArn": names["cluster"]}),
        ("eks", "UntagResource", {"resourceArn": names["cluster"], "tagKeys": ["a"]}),
        ("eks", "DeleteAddon", {**cluster, "addonName": "vpc-cni"}),
        ("eks", "DeleteNodegroup", group),
        ("clock", "", {"seconds": 700}),
        ("eks", "DeleteCluster", {"name": "c"}),
        ("ec2", "DescribeVpcs", {"VpcIds": [vpc]}),
    ]  # fmt: skip


def furnished(client: Client) -> dict[str, Any]:
    """Make what the calls name."""
    ec2, iam, kms = client("ec2"), client("iam"), client("kms")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{z}")
        for n, z in enumerate("ab")
    ]
    roles = [
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        for name in ("r", "o")
    ]
    return {
        "vpc": vpc,
        "subnets": [one["Subnet"]["SubnetId"] for one in subnets],
        "role": roles[0],
        "other": roles[1],
        "key": kms.create_key()["KeyMetadata"]["KeyId"],
        "image": f"{IMAGES}/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id",
        "cluster": "arn:aws:eks:us-west-2:111122223333:cluster/c",
    }


def test_own_answers_agree_with_the_models(
    sandbox: Sandbox, client: Client, checked: Checked
) -> None:
    names = furnished(client)
    made: dict[str, Any] = {}
    for service, operation, parameters in calls(names):
        if service == "clock":
            sandbox.world.clock.advance(parameters["seconds"])
            continue
        made.setdefault(service, client(service))
        getattr(made[service], xform_name(operation))(**parameters)
    assert checked.wrong == []
    assert len(checked.seen) > 70, sorted(checked.seen)


def test_the_check_sees_what_is_wrong() -> None:
    shape = operation_model("eks", "DescribeCluster").output_shape
    assert list(wrong(shape, {"cluster": {"name": "c", "status": "ACTIVE"}})) == []
    found = list(wrong(shape, {"cluster": {"name": 5, "status": "READY", "colour": "red"}}))
    assert [one.partition(":")[0] for one in found] == [
        "answer.cluster",
        "answer.cluster.name",
        "answer.cluster.status",
    ]
    needy = operation_model("service-quotas", "ListServices").output_shape
    assert list(wrong(needy, {"Services": [{"ServiceCode": 1}]})) != []
    pages = operation_model("route53", "ListHostedZones").output_shape
    assert "answer: IsTruncated is missing" in list(wrong(pages, {"HostedZones": []}))
