"""Network interfaces that AWS makes and holds: of NAT gateways, endpoints, load balancers, EKS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class _Shutdown:
    """The state moto asks an attached instance for."""

    name: str = "managed"


@dataclass
class ManagedAttachment:
    """What stands where moto keeps the instance of an interface, when AWS itself holds it."""

    owner_id: str
    id: str | None = None
    security_groups: tuple[Any, ...] = ()
    nics: dict[int, Any] = field(default_factory=dict)
    _state: _Shutdown = field(default_factory=_Shutdown)


def is_managed(eni: Any) -> bool:
    """Whether AWS holds the interface: users can neither detach nor delete it."""
    return isinstance(eni.instance, ManagedAttachment)


def take_over(eni: Any, *, kind: str, description: str, owner: str) -> Any:
    """Make an interface one that AWS manages and holds."""
    eni.interface_type = kind
    eni.description = description
    eni.requester_managed = True
    eni.requester_id = owner
    eni.status = "in-use"
    eni.instance = ManagedAttachment(owner)
    eni.attachment_id = f"ela-attach-{eni.id[4:]}"
    eni.device_index = 1
    eni.delete_on_termination = False
    return eni


def make(
    ec2: Any, subnet_id: str, *, kind: str, description: str, owner: str, groups: list[str]
) -> Any:
    """Make such an interface in a subnet."""
    eni = ec2.create_network_interface(
        ec2.get_subnet(subnet_id), [], group_ids=groups, description=description
    )
    if not groups:
        eni._group_set = []  # noqa: SLF001 - moto gives it the default group
    return take_over(eni, kind=kind, description=description, owner=owner)


def publish(eni: Any) -> None:
    """Give an interface a public address of AWS's own, which nobody has to release."""
    from moto.ec2.utils import random_public_ip

    eni.public_ip = random_public_ip()


def drop(ec2: Any, eni_id: str) -> None:
    """Remove an interface, and set its public address free."""
    eni = ec2.enis.pop(eni_id, None)
    if eni is None:
        return
    for address in ec2.addresses:
        if address.eni is eni:
            address.eni = address.instance = address.association_id = None
    ec2.tags.pop(eni_id, None)


def drop_orphans(ec2: Any) -> None:
    """Remove the interfaces of terminated instances that were made with them."""
    for eni in list(ec2.enis.values()):
        instance = eni.instance
        if instance is None or is_managed(eni) or instance._state.name != "terminated":  # noqa: SLF001
            continue
        if eni.device_index == 0 or eni.delete_on_termination:
            drop(ec2, eni.id)
        else:
            instance.detach_eni(eni)
