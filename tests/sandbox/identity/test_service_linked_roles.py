"""The roles that AWS makes for its own services."""

from __future__ import annotations

from typing import Any

import pytest

Admin = Any
Refusal = Any


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("eks.amazonaws.com", "AWSServiceRoleForAmazonEKS"),
        ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
        ("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
        ("route53resolver.amazonaws.com", "AWSServiceRoleForRoute53Resolver"),
    ],
)
def test_service_linked_roles_have_the_names_aws_gives_them(
    admin: Admin, refusal: Refusal, service: str, name: str
) -> None:
    iam = admin.client("iam")
    made = iam.create_service_linked_role(AWSServiceName=service)["Role"]
    assert (made["RoleName"], made["Path"]) == (name, f"/aws-service-role/{service}/")
    assert iam.get_role(RoleName=name)["Role"]["Arn"] == made["Arn"]
    code, _, message = refusal(iam.create_service_linked_role, AWSServiceName=service)
    assert (code, "has been taken" in message) == ("InvalidInput", True)
