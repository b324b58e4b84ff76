"""Service control policies at every level of an organization.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

from typing import Any

Admin = Any
Refusal = Any

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(effect: str, *actions: str) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


ROOT = [document("Deny", "sqs:PurgeQueue")]
UNIT = [document("Allow", "ec2:*", "iam:*", "sns:*", "sqs:*")]
OWN = [document("Allow", "ec2:*", "eks:*", "iam:*"), document("Allow", "sqs:*")]
SCENARIO = {"rates": "off", "scps": [ROOT, UNIT, OWN]}


def test_every_level_must_allow(admin: Admin, refusal: Refusal) -> None:
    user = admin.user(EVERYTHING)
    user.client("sqs").list_queues()
    user.client("ec2").describe_vpcs()
    for service, operation in (("sns", "list_topics"), ("eks", "list_clusters")):
        message = refusal(getattr(user.client(service), operation))[2]
        assert "because no service control policy allows" in message


def test_a_denial_at_the_root_reaches_every_account(admin: Admin, refusal: Refusal) -> None:
    user = admin.user(EVERYTHING)
    message = refusal(user.client("sqs").purge_queue, QueueUrl="http://sqs/111122223333/q")[2]
    assert message.endswith("with an explicit deny in a service control policy")


def test_service_linked_roles_are_bound_by_none(admin: Admin, refusal: Refusal) -> None:
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    from preflight.sandbox.identity.principals import Principal
    from preflight.sandbox.identity.standing import Standing

    made = admin.client("iam").create_service_linked_role(AWSServiceName="eks.amazonaws.com")
    role = made["Role"]["Arn"]
    signer = Principal(
        kind="role",
        arn="arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForAmazonEKS/x",
        account=admin.sandbox.account,
        user_id="AROA:x",
        name="x",
        role_arn=role,
    )
    assert Standing.of(admin.sandbox.world, signer).scps == ()


def test_an_account_with_scps_is_in_some_organization(admin: Admin) -> None:
    # Which one, the scenario does not say: it may be the one that the policy asks for.
    inside = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    admin.user({**EVERYTHING, "Condition": inside}).client("sqs").list_queues()
