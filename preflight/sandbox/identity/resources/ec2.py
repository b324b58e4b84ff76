"""EC2: what each operation is judged on, most of them on more than one thing.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from preflight.sandbox.identity.resources.arn import ANY, Arns, arn, partition
from preflight.sandbox.request import Request
from preflight.sandbox.services.tagged import EC2_TYPES

#: Operation -> what it makes (`type/*`), and the members of its input that hold ids of what it
#: needs. An id tells its type by itself.
OPERATIONS: Mapping[str, str] = {
    "AllocateAddress": "elastic-ip/*",
    "AssociateAddress": "AllocationId InstanceId NetworkInterfaceId",
    "AssociateRouteTable": "RouteTableId SubnetId GatewayId",
    "AttachInternetGateway": "InternetGatewayId VpcId",
    "AttachNetworkInterface": "NetworkInterfaceId InstanceId",
    "AttachVolume": "VolumeId InstanceId",
    "AuthorizeSecurityGroupEgress": "GroupId",
    "AuthorizeSecurityGroupIngress": "GroupId",
    "CreateInternetGateway": "internet-gateway/*",
    "CreateLaunchTemplate": "launch-template/*",
    "CreateLaunchTemplateVersion": "LaunchTemplateId",
    "CreateNatGateway": "natgateway/* SubnetId AllocationId",
    "CreateNetworkInterface": "network-interface/* SubnetId Groups",
    "CreateRoute": "RouteTableId",
    "CreateRouteTable": "route-table/* VpcId",
    "CreateSecurityGroup": "security-group/* VpcId",
    "CreateSnapshot": "snapshot/* VolumeId",
    "CreateSubnet": "subnet/* VpcId",
    "CreateTags": "Resources",
    "CreateVolume": "volume/* SnapshotId",
    "CreateVpc": "vpc/*",
    "CreateVpcEndpoint": "vpc-endpoint/* VpcId RouteTableIds SubnetIds SecurityGroupIds",
    "DeleteInternetGateway": "InternetGatewayId",
    "DeleteLaunchTemplate": "LaunchTemplateId",
    "DeleteLaunchTemplateVersions": "LaunchTemplateId",
    "DeleteNatGateway": "NatGatewayId",
    "DeleteNetworkInterface": "NetworkInterfaceId",
    "DeleteRoute": "RouteTableId",
    "DeleteRouteTable": "RouteTableId",
    "DeleteSecurityGroup": "GroupId",
    "DeleteSnapshot": "SnapshotId",
    "DeleteSubnet": "SubnetId",
    "DeleteTags": "Resources",
    "DeleteVolume": "VolumeId",
    "DeleteVpc": "VpcId",
    "DeleteVpcEndpoints": "VpcEndpointIds",
    "DescribeInstanceAttribute": "InstanceId",
    "DescribeSnapshotAttribute": "SnapshotId",
    "DescribeVolumeAttribute": "VolumeId",
    "DescribeVpcAttribute": "VpcId",
    "DetachInternetGateway": "InternetGatewayId VpcId",
    "DetachVolume": "VolumeId InstanceId",
    "ModifyLaunchTemplate": "LaunchTemplateId",
    "ModifyNetworkInterfaceAttribute": "NetworkInterfaceId Groups",
    "ModifySubnetAttribute": "SubnetId",
    "ModifyVpcAttribute": "VpcId",
    "ModifyVpcEndpoint": "VpcEndpointId",
    "RebootInstances": "InstanceIds",
    "ReleaseAddress": "AllocationId",
    "ReplaceRoute": "RouteTableId",
    "RevokeSecurityGroupEgress": "GroupId",
    "RevokeSecurityGroupIngress": "GroupId",
    "StartInstances": "InstanceIds",
    "StopInstances": "InstanceIds",
    "TerminateInstances": "InstanceIds",
}
#: Looks that are judged on a resource, by how their names begin; the others have none.
LOOKS_WITH_RESOURCE = (
    "DescribeCapacityBlockExtensionOfferings",
    "DescribeClientVpnA",
    "DescribeClientVpnC",
    "DescribeClientVpnR",
    "DescribeClientVpnT",
    "DescribeFleet",
    "DescribeFpgaImageAttribute",
    "DescribeImageAttribute",
    "DescribeSecurityGroupReferences",
    "DescribeSpotFleetInstances",
    "DescribeSpotFleetRequestHistory",
    "DescribeVpcEndpointServicePermissions",
)
#: Types whose ARNs name no account.
_OF_NOBODY = frozenset({"image", "snapshot"})


def ec2(request: Request) -> Arns:
    """Name what an operation of EC2 makes and needs."""
    operation = request.operation
    if operation == "RunInstances":
        return list(of_instances(request, request.parameters))
    words = OPERATIONS.get(operation)
    if words is not None:
        return [one for word in words.split() for one in _named(request, word)]
    if operation.startswith("Describe") and not operation.startswith(LOOKS_WITH_RESOURCE):
        return [ANY]
    return [None]


def _named(request: Request, word: str) -> Iterator[str | None]:
    if "/" in word:
        yield ec2_arn(request, *word.split("/"))
    else:
        yield from by_id(request, request.parameters.get(word))


def ec2_arn(request: Request, kind: str, id: str) -> str:
    """Write the ARN of something of EC2."""
    if kind in _OF_NOBODY:
        return f"arn:{partition(request.region)}:ec2:{request.region}::{kind}/{id}"
    return arn(request, "ec2", f"{kind}/{id}")


def by_id(request: Request, ids: Any) -> Iterator[str | None]:
    """Write the ARN of an id, or of each of a list; None for one that does not tell its type."""
    for id in ids if isinstance(ids, list) else [ids] if ids else []:
        kind = EC2_TYPES.get(str(id).partition("-")[0])
        yield ec2_arn(request, kind, str(id)) if kind else None


def tagged_type(request: Request, resource: str | None) -> bool:
    """Whether the tags of a creation are meant for this resource: they name types, not ids."""
    if request.operation in {"CreateTags", "DeleteTags"}:
        return True
    specs = request.parameters.get("TagSpecifications") or ()
    kinds = {str(one.get("ResourceType")) for one in specs}
    return resource is not None and resource.endswith(tuple(f":{kind}/*" for kind in kinds))


def of_instances(request: Request, given: Mapping[str, Any]) -> Iterator[str | None]:
    """Name what starting instances makes and needs, the launch template's own members included.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-runinstances
    """
    named, template = _template(request, given.get("LaunchTemplate") or {})
    wanted = {**template, **given}
    for kind in ("instance", "network-interface", "volume"):
        yield ec2_arn(request, kind, "*")
    if given.get("LaunchTemplate"):
        yield named
    interfaces = wanted.get("NetworkInterfaces") or [{}]
    yield from by_id(request, wanted.get("ImageId")) if wanted.get("ImageId") else (None,)
    for member in ("SubnetId", "SecurityGroupIds"):
        yield from by_id(request, wanted.get(member))
    for interface in interfaces:
        yield from by_id(request, interface.get("SubnetId"))
        yield from by_id(request, interface.get("Groups"))
    if wanted.get("KeyName"):
        yield ec2_arn(request, "key-pair", str(wanted["KeyName"]))


def _template(request: Request, spec: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
    """Find the launch template that is meant: its ARN and what it says."""
    with request.world.lock:
        templates = request.world.backend("ec2", request.region).launch_templates.values()
        found = next(
            (
                one
                for one in templates
                if one.id == spec.get("LaunchTemplateId")
                or one.name == spec.get("LaunchTemplateName")
            ),
            None,
        )
        if found is None:
            return next(by_id(request, spec.get("LaunchTemplateId")), None), {}
        wanted = str(spec.get("Version") or "$Default").lower()
        version = {
            "$latest": found.latest_version_number,
            "$default": found.default_version_number,
        }.get(wanted, wanted)
        data: Mapping[str, Any] = next(
            (one.data for one in found.versions if str(one.number) == str(version)), {}
        )
    return ec2_arn(request, "launch-template", found.id), data
