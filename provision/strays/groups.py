"""Security groups that controllers and EKS made for a cluster; each keeps its VPC from going."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.resource import Evidence, Found, Kind, Owner, Strength, tag_map
from provision.resources.ec2 import arn
from provision.strays import evidence


class ControllerGroup(Kind):
    """A group of the load balancer controller, of the in-tree one, or EKS's own."""

    kind = "ec2/controller-security-group"
    finds = actions("ec2:DescribeSecurityGroups")
    deletes = (
        Action(name="ec2:DeleteSecurityGroup", on=(arn("security-group"),)),
        Action(name="ec2:RevokeSecurityGroupIngress", on=(arn("security-group"),)),
        Action(name="ec2:RevokeSecurityGroupEgress", on=(arn("security-group"),)),
        Action(name="ec2:DescribeSecurityGroupRules"),
    )
    dies_after = (
        "elbv2/load-balancer",
        "elb/load-balancer",
        "ec2/network-interface",
        "eks/cluster",
    )

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tags, and by the names that can be computed from the cluster's."""
        names = [evidence.backend_group_name(owner.eks_name), f"eks-cluster-sg-{owner.eks_name}-*"]
        seen: set[str] = set()
        for filters in (
            evidence.tag_key_filter(owner),
            [{"Name": "group-name", "Values": names}],
        ):
            for group in aws.each(
                "ec2", "DescribeSecurityGroups", "SecurityGroups", Filters=filters
            ):
                found = _found(group, owner)
                if found is not None and found.id not in seen:
                    seen.add(found.id)
                    yield found

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Take out its rules first: groups that refer to each other could never go otherwise."""
        for rule in list(
            aws.each(
                "ec2",
                "DescribeSecurityGroupRules",
                "SecurityGroupRules",
                Filters=[{"Name": "group-id", "Values": [found.id]}],
            )
        ):
            operation = "RevokeSecurityGroup" + ("Egress" if rule["IsEgress"] else "Ingress")
            rules = [rule["SecurityGroupRuleId"]]
            aws.call("ec2", operation, GroupId=found.id, SecurityGroupRuleIds=rules)
        aws.call("ec2", "DeleteSecurityGroup", GroupId=found.id)


def _found(group: Mapping[str, Any], owner: Owner) -> Found | None:
    tags = tag_map(group.get("Tags"))
    if evidence.is_planned(tags):
        return None
    name = group.get("GroupName", "")
    proof = (*evidence.of_tags(tags, owner), *_by_name(name, tags, owner))
    if not proof:
        return None
    state, note = evidence.standing(tags, owner)
    return Found(
        kind="ec2/security-group",
        id=group["GroupId"],
        region=owner.region,
        arn=f"arn:{owner.partition}:ec2:{owner.region}:{owner.account}"
        f":security-group/{group['GroupId']}",
        name=name,
        cluster=owner.cluster,
        state=state,
        note=note,
        evidence=proof,
        blocks=(group.get("VpcId", ""),),
    )


def _by_name(name: str, tags: Mapping[str, str], owner: Owner) -> tuple[Evidence, ...]:
    if evidence.names_another(tags, owner):
        return ()
    if name == evidence.backend_group_name(owner.eks_name):
        return (Evidence(strength=Strength.A, text=f"its name is computed from {owner.eks_name}"),)
    if re.fullmatch(rf"eks-cluster-sg-{re.escape(owner.eks_name)}-\d+", name):
        # `a-1` and `a` can both own `eks-cluster-sg-a-1-2`: the name alone is not enough.
        return (Evidence(strength=Strength.C, text="named like a group EKS makes"),)
    return ()
