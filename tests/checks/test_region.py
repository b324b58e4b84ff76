"""The Region: known, enabled, and with EKS in the version asked for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from checks.region import region
from preflight.finding import Status


def test_a_region_open_to_everybody_passes_with_the_versions_of_eks(bench: Any) -> None:
    found = bench.ask(region, bench.context())

    assert {one.status for one in found.values()} == {Status.PASS}
    eks = found["EKS in us-west-2"]
    assert eks.data["versions"]
    assert re.search(
        r"its default, Kubernetes 1\.\d\d: standard support until \d{4}-\d\d-\d\d, extended",
        eks.message,
    )
    assert eks.data["standard_until"] < eks.data["extended_until"]


def test_a_region_that_does_not_exist_fails_with_what_is_like_it(bench: Any) -> None:
    context = bench.context()
    nowhere = replace(context.plan, owner=replace(context.plan.owner, region="us-west-9"))

    found = bench.ask(region, replace(context, plan=nowhere))["us-west-9"]

    assert found.status is Status.FAIL
    assert "us-west-2" in found.hint


def test_a_region_that_is_not_enabled_is_asked_about_elsewhere_and_fails(bench: Any) -> None:
    bench.begin(regions={"eu-south-1": {"opt_in": "opted-in"}})
    enabled = bench.context(region="eu-south-1")
    assert bench.statuses(region, enabled)["eu-south-1"] is Status.PASS
    bench.begin()

    found = bench.ask(region, bench.context(region="eu-south-1"))

    assert set(found) == {"eu-south-1"}
    assert found["eu-south-1"].status is Status.FAIL
    assert "enable-region" in found["eu-south-1"].hint


@pytest.mark.parametrize(("version", "status"), [("1.34", Status.PASS), ("1.12", Status.FAIL)])
def test_the_version_asked_for_is_held_to_those_offered(
    bench: Any, version: str, status: Status
) -> None:
    found = bench.ask(region, bench.context(version=version))["EKS in us-west-2"]

    assert found.status is status
    assert "1.34" in found.message


def test_a_version_in_extended_support_is_a_warning_that_names_its_end_and_a_newer_one(
    bench: Any,
) -> None:
    versions = list(bench.aws().each("eks", "DescribeClusterVersions", "clusterVersions"))
    old = next(one for one in versions if one["versionStatus"] == "EXTENDED_SUPPORT")
    new = next(one for one in versions if one["versionStatus"] == "STANDARD_SUPPORT")

    context = bench.context(version=old["clusterVersion"])
    found = bench.ask(region, context)["EKS in us-west-2"]

    assert found.status is Status.WARN
    assert f"extended support until {old['endOfExtendedSupportDate']:%Y-%m-%d}" in found.message
    assert f'`version: "{new["clusterVersion"]}"`' in found.hint


def test_versions_that_may_not_be_listed_are_unknown_and_the_region_is_not(bench: Any) -> None:
    context = bench.context()
    bench.deny("eks:DescribeClusterVersions")

    found = bench.ask(region, context)

    assert found["us-west-2"].status is Status.PASS
    assert found["EKS in us-west-2"].status is Status.UNKNOWN
    assert found["EKS in us-west-2"].data["missing_action"] == "eks:DescribeClusterVersions"
