"""What EC2 keeps because it is in use: addresses, interfaces.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html lists the codes. The
words are those that users quote: https://github.com/boto/boto3/issues/2218 (interfaces of AWS's),
https://github.com/aws/amazon-vpc-cni-k8s/issues/1399 (interface in use),
https://github.com/kubernetes/kops/issues/1604 (address of a NAT gateway) and
https://github.com/ansible/ansible/pull/20167 (address that is not there).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from preflight.sandbox.agenda import agenda
from preflight.sandbox.ec2 import interfaces
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response

UNMANAGEABLE = "You are not allowed to manage 'ela-attach' attachments."
# Virtual seconds, and where the rule leaves for the effect what is detached.
DETACHING_SECONDS, DETACHING = 2.5, "detaching"
NOT_YOURS = "You do not have permission to access the specified resource."


def _ec2(request: Request) -> Any:
    return request.world.backend("ec2", request.region)


def refuse_address(request: Request) -> None:
    """An address in use stays; one that AWS uses for a NAT gateway is not even the user's.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html
    """
    ec2, parameters = _ec2(request), request.parameters
    keys = {parameters.get(n) for n in ("AllocationId", "AssociationId", "PublicIp")} - {None}
    for address in ec2.addresses:
        if not keys & {address.allocation_id, address.association_id, address.public_ip}:
            continue
        if address.eni is not None and interfaces.is_managed(address.eni):
            raise AwsFault("AuthFailure", NOT_YOURS)
        if request.operation == "ReleaseAddress" and address.association_id:
            raise AwsFault("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")
        return
    id = parameters.get("AllocationId")
    if id:
        message = f"The allocation ID '{id}' does not exist"
        raise AwsFault("InvalidAllocationID.NotFound", message)


def refuse_detaching(request: Request) -> None:
    """Interfaces of AWS's cannot be detached.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html
    """
    for eni in _ec2(request).enis.values():
        is_meant = eni.attachment_id == request.parameters.get("AttachmentId")
        if is_meant and interfaces.is_managed(eni):
            raise AwsFault("OperationNotPermitted", UNMANAGEABLE)
        if is_meant:
            request.notes[DETACHING] = eni


def refuse_interface(request: Request) -> None:
    """An interface in use stays.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkInterface.html
    """
    eni = _ec2(request).enis.get(request.parameters.get("NetworkInterfaceId"))
    if eni is not None and eni.status in ("detaching", "in-use"):
        message = f"Network interface '{eni.id}' is currently in use."
        raise AwsFault("InvalidParameterValue", message)


def detached(request: Request, _: Response) -> None:
    """An interface is let go some seconds after it was asked for.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachNetworkInterface.html
    """
    eni = request.notes.get(DETACHING)
    if eni is not None and eni.status == "available":
        eni.status = "detaching"
        agenda(request.world).after(DETACHING_SECONDS, partial(_let_go, eni))


def _let_go(eni: Any) -> None:
    if eni.status == "detaching":
        eni.status = "available"


RULES = {
    ("ec2", "DeleteNetworkInterface"): refuse_interface,
    ("ec2", "DetachNetworkInterface"): refuse_detaching,
    ("ec2", "DisassociateAddress"): refuse_address,
    ("ec2", "ReleaseAddress"): refuse_address,
}
EFFECTS = {("ec2", "DetachNetworkInterface"): detached}
