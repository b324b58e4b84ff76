"""Public addresses that stay: Elastic IPs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import CredentialsError, Dependency
from preflight.found import Found, Owner
from preflight.price import Charge
from preflight.quota import Demand
from preflight.quotas.catalogue import ELASTIC_IPS
from preflight.resource import Ids, Resource
from provision.resources import ec2

ADDRESS_CHARGE = Charge(sku="ec2/public-ipv4")


class ElasticIp(Resource):
    """A public address that stays; each public NAT gateway takes one. Its id is the allocation's.

    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-eips.html
    """

    kind = "ec2/elastic-ip"
    creates = ec2.creates("AllocateAddress", "elastic-ip")
    finds = actions("ec2:DescribeAddresses")
    deletes = (Action(name="ec2:ReleaseAddress", on=(ec2.arn("elastic-ip"),)),)

    def demands(self) -> Iterator[Demand]:
        """One of the Elastic IPs of the Region."""
        yield Demand(quota=ELASTIC_IPS)

    def charges(self) -> Iterator[Charge]:
        """A public address costs by the hour, in use or not."""
        yield ADDRESS_CHARGE

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for an address."""
        del token
        tags = ec2.tag_specifications("elastic-ip", ids, self)
        answer = aws.call("ec2", "AllocateAddress", Domain="vpc", TagSpecifications=tags)
        return str(answer["AllocationId"])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag; DescribeAddresses has no pages."""
        for found, _ in ec2.each_found(
            aws, owner, cls, "DescribeAddresses", "Addresses", "AllocationId"
        ):
            yield dataclasses.replace(found, charges=(ADDRESS_CHARGE,))

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Give the address back.

        EC2 answers AuthFailure both for an address that something still uses and for one that was
        released before, as if the credentials were wrong; looking at the address tells which.
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html
        """
        try:
            aws.call("ec2", "ReleaseAddress", AllocationId=found.id)
        except CredentialsError as error:
            if error.code != "AuthFailure":
                raise
            aws.call("ec2", "DescribeAddresses", AllocationIds=[found.id])
            raise Dependency(
                f"{found.id} is still in use: {error.message}",
                service="ec2",
                operation="ReleaseAddress",
                code=error.code,
                request_id=error.request_id,
            ) from error
