"""Ranges of the network beside those that are there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from checks.network_ranges import network_ranges
from preflight.finding import Status


def make_vpc(bench: Any, cidr: str, **tags: str) -> str:
    given = [{"Key": key, "Value": value} for key, value in tags.items()]
    tagged = [{"ResourceType": "vpc", "Tags": given}] if given else []
    made = bench.aws().call("ec2", "CreateVpc", CidrBlock=cidr, TagSpecifications=tagged)
    return str(made["Vpc"]["VpcId"])


def network(cidr: str, services: str | None = None) -> dict[str, Any]:
    more = {"service_cidr": services} if services else {}
    return {"cidr": cidr, "zones": ["a", "b"], "nat": "single", **more}


def test_a_range_of_its_own_passes_and_what_eks_will_choose_is_told(bench: Any) -> None:
    found = bench.ask(network_ranges, bench.context())

    assert {one.status for one in found.values()} == {Status.PASS}
    assert "10.100.0.0/16 or 172.20.0.0/16" in found["services"].message


def test_a_vpc_with_the_same_addresses_is_a_warning_with_a_range_that_is_free(bench: Any) -> None:
    id = make_vpc(bench, "10.0.128.0/20")
    make_vpc(bench, "10.1.0.0/16")

    found = bench.ask(network_ranges, bench.context())["VPC"]

    assert found.status is Status.WARN
    assert f"{id} (10.0.128.0/20)" in found.message
    assert "`cidr: 10.2.0.0/16`" in found.hint


def test_the_second_range_of_a_vpc_counts_too(bench: Any) -> None:
    id = make_vpc(bench, "10.64.0.0/16")
    bench.aws().call("ec2", "AssociateVpcCidrBlock", VpcId=id, CidrBlock="10.0.0.0/20")

    assert bench.statuses(network_ranges, bench.context())["VPC"] is Status.WARN


def test_the_cluster_s_own_vpc_is_no_other_network(bench: Any) -> None:
    make_vpc(bench, "10.0.0.0/16", **{"preflight:cluster": "dev"})

    assert bench.statuses(network_ranges, bench.context())["VPC"] is Status.PASS


@pytest.mark.parametrize("subject", ["VPC", "services"])
def test_docker_s_own_range_is_a_warning(bench: Any, subject: str) -> None:
    wanted = (
        network("172.17.0.0/16") if subject == "VPC" else network("10.0.0.0/16", "172.16.0.0/12")
    )
    context = bench.context(network=wanted)
    # The default VPC of the Region, 172.31.0.0/16, would be met first.
    quiet = bench.aws()
    for vpc in list(quiet.each("ec2", "DescribeVpcs", "Vpcs")):
        for subnet in list(quiet.each("ec2", "DescribeSubnets", "Subnets")):
            quiet.call("ec2", "DeleteSubnet", SubnetId=subnet["SubnetId"])
        quiet.call("ec2", "DeleteVpc", VpcId=vpc["VpcId"])

    found = bench.ask(network_ranges, context)[subject]

    assert found.status is Status.WARN
    assert "Docker" in found.message


def test_a_range_for_services_is_held_to_the_vpcs_too(bench: Any) -> None:
    make_vpc(bench, "192.168.0.0/16")
    context = bench.context(network=network("10.0.0.0/16", "192.168.4.0/22"))

    found = bench.ask(network_ranges, context)["services"]

    assert found.status is Status.WARN
    assert "`service_cidr: 10.100.0.0/16`" in found.hint


def test_vpcs_that_may_not_be_listed_are_unknown(bench: Any) -> None:
    context = bench.context()
    bench.deny("ec2:DescribeVpcs")

    found = bench.ask(network_ranges, replace(context))

    assert {one.status for one in found.values()} == {Status.UNKNOWN}
