"""Do the ranges of the plan's network keep clear of what is there, and of what AWS uses itself?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from checks.account_lists import VPCS, rows
from preflight.check import Answer, Context, check
from preflight.finding import Status
from preflight.found import CLUSTER_TAG, tag_map
from preflight.ranges import overlap

VPC_RANGES = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"
SERVICE_RANGES = (
    "https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html"
)
#: Docker's own, which several of AWS's services use.
DOCKER = "172.17.0.0/16"
#: What EKS takes one of when the spec names no range for Kubernetes services.
EKS_CHOOSES = ("10.100.0.0/16", "172.20.0.0/16")


@check(
    "network-ranges",
    "The ranges of the network overlap no other network",
    why=(
        "Two networks with the same addresses can never be joined, by peering or a transit"
        " gateway, and neither a VPC nor the range of Kubernetes services can be changed later."
    ),
    fix="Write ranges that nothing else uses into `network: cidr:` and `service_cidr:`.",
    url=VPC_RANGES,
    actions=("ec2:DescribeVpcs",),
)
def network_ranges(context: Context) -> Iterator[Answer]:
    """Compare the ranges of the spec with every VPC of the Region, and with Docker's."""
    others = dict(_others(rows(context, VPCS), context.plan.owner.cluster))
    cidr, services = context.spec.network.cidr, context.spec.network.service_cidr
    yield _judged("VPC", cidr, others, _proposal(others), "cidr", VPC_RANGES)
    if services is not None:
        proposal = next((one for one in EKS_CHOOSES if not overlap(one, cidr)), None)
        yield _judged("services", services, others, proposal, "service_cidr", SERVICE_RANGES)
        return
    left = [one for one in EKS_CHOOSES if not overlap(one, cidr)]
    yield Answer(
        status=Status.PASS,
        subject="services",
        message=f"EKS takes {' or '.join(left)} for Kubernetes services: the spec names no range",
        url=SERVICE_RANGES,
        data={"ranges": left},
    )


def _others(vpcs: Iterable[Mapping[str, Any]], cluster: str) -> Iterator[tuple[str, list[str]]]:
    """Give the ranges of each VPC that is not this cluster's own."""
    for vpc in vpcs:
        if tag_map(vpc.get("Tags")).get(CLUSTER_TAG) == cluster:
            continue
        blocks = [
            block["CidrBlock"]
            for block in vpc.get("CidrBlockAssociationSet", ())
            if block.get("CidrBlockState", {}).get("State") != "disassociated"
        ]
        yield vpc["VpcId"], blocks or [vpc["CidrBlock"]]


def _judged(
    subject: str,
    cidr: str,
    others: Mapping[str, list[str]],
    proposal: str | None,
    key: str,
    url: str,
) -> Answer:
    met = [f"{id} ({one})" for id, blocks in others.items() for one in blocks if overlap(one, cidr)]
    facts = {"range": cidr, "overlaps": met}
    write = f"write `{key}: {proposal}` under network" if proposal else None
    if met:
        return Answer(
            status=Status.WARN,
            subject=subject,
            message=f"{cidr} overlaps {', '.join(met)}: the two can never be joined",
            hint=write,
            url=url,
            data=facts,
        )
    if overlap(cidr, DOCKER):
        return Answer(
            status=Status.WARN,
            subject=subject,
            message=f"Docker and some of AWS's services use addresses of {cidr} ({DOCKER})",
            hint=write,
            url=VPC_RANGES,
            data={**facts, "overlaps": [DOCKER]},
        )
    message = f"{cidr} overlaps none of the {len(others)} other VPCs of the Region"
    return Answer(status=Status.PASS, subject=subject, message=message, url=url, data=facts)


def _proposal(others: Mapping[str, list[str]]) -> str | None:
    """Find a /16 of 10.0.0.0/8 that is free and that EKS does not choose for services."""
    taken = [one for blocks in others.values() for one in blocks] + list(EKS_CHOOSES)
    candidates = (str(one) for one in IPv4Network("10.0.0.0/8").subnets(new_prefix=16))
    return next((one for one in candidates if not any(overlap(one, t) for t in taken)), None)
