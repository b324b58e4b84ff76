"""Security groups in other VPCs than their own.

https://docs.aws.amazon.com/vpc/latest/userguide/security-group-assoc.html
"""

from __future__ import annotations

from typing import Any

Account = Any
Refusal = Any


def test_a_group_stays_while_it_is_associated_with_a_vpc(
    account: Account, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html"""
    ec2 = account.ec2
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="a", Description="x", VpcId=account.vpc)["GroupId"]
    at = {"GroupId": group, "VpcId": other}

    def states() -> list[str]:
        found = ec2.describe_security_group_vpc_associations(
            Filters=[{"Name": "group-id", "Values": [group]}]
        )
        return [one["State"] for one in found["SecurityGroupVpcAssociations"]]

    assert ec2.associate_security_group_vpc(**at)["State"] == "associating"
    account.advance(6)
    assert states() == ["associated"]
    assert refusal(ec2.delete_security_group, GroupId=group) == (
        "DependencyViolation",
        400,
        f"resource {group} has a dependent object",
    )
    assert ec2.disassociate_security_group_vpc(**at)["State"] == "disassociating"
    assert states() == ["disassociating"]
    account.advance(6)
    assert states() == []
    assert refusal(ec2.disassociate_security_group_vpc, **at)[:2] == ("InvalidParameterValue", 400)
    ec2.delete_security_group(GroupId=group)


def test_a_default_group_cannot_be_associated(account: Account, refusal: Refusal) -> None:
    ec2 = account.ec2
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    (default,) = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [account.vpc]}]
    )["SecurityGroups"]
    code, *_ = refusal(ec2.associate_security_group_vpc, GroupId=default["GroupId"], VpcId=other)
    assert code == "InvalidParameterValue"
