"""IPv4 ranges: which a VPC, the Kubernetes services and the public API endpoint may have, and
how a VPC is cut into subnets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network

#: AWS keeps the first four addresses of a subnet and the last.
#: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
RESERVED_IN_SUBNET = 5
SMALLEST_SUBNET = 28

_UNUSABLE = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_NOT_PUBLIC = (*_UNUSABLE, *_PRIVATE, "100.64.0.0/10", "240.0.0.0/4")


@dataclass(frozen=True, kw_only=True)
class SubnetRange:
    """One subnet to be: the letter of its zone, its range, and whether it faces the internet."""

    zone: str
    public: bool
    cidr: str

    @property
    def addresses(self) -> int:
        """Count the addresses that AWS leaves for use."""
        return IPv4Network(self.cidr).num_addresses - RESERVED_IN_SUBNET


def network(text: str) -> IPv4Network:
    """Read an IPv4 range; raises ValueError with the reason in a person's words."""
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3}){3})/(\d{1,2})", text, re.ASCII)
    if match is None:
        raise ValueError(f"{_short(text)} is not an IPv4 range such as 10.0.0.0/16")
    try:
        IPv4Address(match[1])
        loose = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{_short(text)} is not an IPv4 range such as 10.0.0.0/16") from None
    if not isinstance(loose, IPv4Network) or str(loose.network_address) != match[1]:
        raise ValueError(f"{text} does not start on its own boundary: {loose} does")
    return loose


def judge_vpc(text: str) -> None:
    """Raise ValueError unless a VPC may have this range.

    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
    """
    wanted = network(text)
    _expect_size(wanted, largest=16, smallest=28, kind="a VPC")
    _expect_outside(wanted, _UNUSABLE, "no VPC may have it")


def judge_service(text: str) -> None:
    """Raise ValueError unless Kubernetes services may have this range.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html
    """
    wanted = network(text)
    _expect_size(wanted, largest=12, smallest=24, kind="the Kubernetes service range")
    if not any(wanted.subnet_of(IPv4Network(private)) for private in _PRIVATE):
        raise ValueError(f"{text} is not within {', '.join(_PRIVATE)}, as EKS wants it")


def judge_public(text: str) -> None:
    """Raise ValueError unless a public API endpoint may be opened to this range.

    https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html
    """
    wanted = network(text)
    if wanted.prefixlen == 0:
        raise ValueError(f"{text} is everybody: name the ranges that need the API server")
    _expect_outside(wanted, _NOT_PUBLIC, "no request from the internet comes from there")


def overlap(one: str, other: str) -> bool:
    """Say whether two ranges share an address."""
    return network(one).overlaps(network(other))


def carve(cidr: str, zones: tuple[str, ...]) -> tuple[SubnetRange, ...]:
    """Cut a VPC into one private and one public subnet for each zone, private ones first.

    The VPC is halved until there is a block for each zone and one more. Each zone gets a block
    as its private subnet; the last block is shared out among the public ones, which hold only
    load balancers and NAT gateways. Raises ValueError if a subnet would be smaller than /28.
    """
    whole = network(cidr)
    block = whole.prefixlen + len(zones).bit_length()
    piece = block + (len(zones) - 1).bit_length()
    if piece > SMALLEST_SUBNET:
        fits = whole.prefixlen - (piece - SMALLEST_SUBNET)
        raise ValueError(
            f"{cidr} has no room for {len(zones)} zones: a public subnet would be /{piece}, and "
            f"AWS's smallest is /{SMALLEST_SUBNET}; take /{fits} or fewer zones"
        )
    blocks = list(whole.subnets(new_prefix=block))
    pieces = blocks[-1].subnets(new_prefix=piece)
    private = (
        SubnetRange(zone=zone, public=False, cidr=str(part))
        for zone, part in zip(zones, blocks, strict=False)
    )
    public = (
        SubnetRange(zone=zone, public=True, cidr=str(part))
        for zone, part in zip(zones, pieces, strict=False)
    )
    return (*private, *public)


def _expect_size(wanted: IPv4Network, *, largest: int, smallest: int, kind: str) -> None:
    if not largest <= wanted.prefixlen <= smallest:
        size = "large" if wanted.prefixlen < largest else "small"
        raise ValueError(f"{wanted} is too {size}: {kind} has /{largest} to /{smallest}")


def _expect_outside(wanted: IPv4Network, ranges: tuple[str, ...], reason: str) -> None:
    for text in ranges:
        if wanted.overlaps(IPv4Network(text)):
            raise ValueError(f"{wanted} lies in {text}: {reason}")


def _short(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
