"""What EC2 does and moto does not, short of life cycles and dependencies."""

from __future__ import annotations

from preflight.sandbox.request import Request, Response


def drop_network_acls(request: Request, _: Response) -> None:
    """DeleteVpc takes the VPC's network ACL along; moto leaves it behind."""
    backend = request.world.backend("ec2", request.region)
    for identifier, acl in list(backend.network_acls.items()):
        if acl.vpc_id == request.parameters["VpcId"]:
            del backend.network_acls[identifier]
            backend.tags.pop(identifier, None)


def drop_associations(request: Request, _: Response) -> None:
    """DeleteSubnet ends its associations, so that its route table can be deleted too.

    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-deleting.html
    """
    ec2, subnet = request.world.backend("ec2", request.region), request.parameters["SubnetId"]
    for table in ec2.route_tables.values():
        for id, target in list(table._associations.items()):  # noqa: SLF001 - moto has no other way
            if target == subnet:
                del table._associations[id]  # noqa: SLF001
    for acl in ec2.network_acls.values():
        for id, association in list(acl._associations.items()):  # noqa: SLF001
            if association.subnet_id == subnet:
                del acl._associations[id]  # noqa: SLF001


EFFECTS = {
    ("ec2", "DeleteSubnet"): drop_associations,
    ("ec2", "DeleteVpc"): drop_network_acls,
}
