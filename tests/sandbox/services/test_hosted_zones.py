"""Hosted zones of Route 53."""

from __future__ import annotations

from typing import Any

Refusal = Any


def test_a_zone_stays_while_it_has_records_of_its_own(client: Any, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHostedZone.html"""
    route53 = client("route53")
    made = route53.create_hosted_zone(Name="x.example.com", CallerReference="1")
    id = made["HostedZone"]["Id"]
    record = {
        "Name": "a.x.example.com",
        "Type": "A",
        "TTL": 60,
        "ResourceRecords": [{"Value": "10.0.0.1"}],
    }

    def change(action: str) -> None:
        changes = [{"Action": action, "ResourceRecordSet": record}]
        route53.change_resource_record_sets(HostedZoneId=id, ChangeBatch={"Changes": changes})

    change("CREATE")
    assert refusal(route53.delete_hosted_zone, Id=id) == (
        "HostedZoneNotEmpty",
        400,
        "The specified hosted zone contains non-required resource record sets and so cannot be"
        " deleted.",
    )
    change("DELETE")
    route53.delete_hosted_zone(Id=id)


def test_a_caller_reference_makes_one_zone(client: Any, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html"""
    route53, asked = client("route53"), {"Name": "x.example.com", "CallerReference": "1"}
    route53.create_hosted_zone(**asked)
    assert refusal(route53.create_hosted_zone, **asked) == (
        "HostedZoneAlreadyExists",
        409,
        "A hosted zone has already been created with the specified caller reference.",
    )
