"""Security groups that controllers and EKS made for a cluster; each keeps its VPC from going."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import NotFound
from preflight.found import Evidence, Found, Owner, Strength, tag_map
from preflight.resource import Kind
from provision.resources.ec2 import arn
from provision.strays import evidence

#: How many values a filter takes.
#: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
GROUPS_PER_FILTER = 200


class ControllerGroup(Kind):
    """A group of the load balancer controller, of the in-tree one, or EKS's own."""

    kind = "ec2/controller-security-group"
    finds = actions("ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules")
    deletes = (
        Action(name="ec2:DeleteSecurityGroup", on=(arn("security-group"),)),
        Action(name="ec2:RevokeSecurityGroupIngress", on=(arn("security-group"),)),
        Action(name="ec2:RevokeSecurityGroupEgress", on=(arn("security-group"),)),
    )
    dies_after = (
        "elbv2/load-balancer",
        "elb/load-balancer",
        "ec2/network-interface",
        "ec2/instance",
        "eks/cluster",
    )

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tags, and by the names that can be computed from the cluster's."""
        names = [evidence.backend_group_name(owner.eks_name), f"eks-cluster-sg-{owner.eks_name}-*"]
        seen: dict[str, Found] = {}
        for filters in (
            evidence.tag_key_filter(owner),
            [{"Name": "group-name", "Values": names}],
        ):
            for group in aws.each(
                "ec2", "DescribeSecurityGroups", "SecurityGroups", Filters=filters
            ):
                found = _found(group, owner)
                if found is not None:
                    seen.setdefault(found.id, found)
        referring = sorted(id for id, found in seen.items() if "refers" in found.detail)
        rules = _referring_rules(aws, referring)
        for id, found in sorted(seen.items()):
            yield replace(found, detail=rules.get(id, {}))

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Take out its rules about groups first: two that refer to each other never went else."""
        for way in ("Ingress", "Egress"):
            if rules := found.detail.get(way):
                operation = f"RevokeSecurityGroup{way}"
                with suppress(NotFound):  # revoked before: the groups tell what is left
                    aws.call("ec2", operation, GroupId=found.id, SecurityGroupRuleIds=rules.split())
        aws.call("ec2", "DeleteSecurityGroup", GroupId=found.id)


def _referring_rules(aws: Aws, groups: list[str]) -> dict[str, dict[str, str]]:
    """Name the rules of groups that are about groups: `{group: {"Ingress": "sgr-1 sgr-2"}}`."""
    named: dict[str, dict[str, str]] = {}
    for start in range(0, len(groups), GROUPS_PER_FILTER):
        some = [{"Name": "group-id", "Values": groups[start : start + GROUPS_PER_FILTER]}]
        for rule in aws.watching().each(
            "ec2", "DescribeSecurityGroupRules", "SecurityGroupRules", Filters=some
        ):
            if "ReferencedGroupInfo" in rule:
                ways = named.setdefault(rule["GroupId"], {})
                way = "Egress" if rule["IsEgress"] else "Ingress"
                ways[way] = f"{ways.get(way, '')} {rule['SecurityGroupRuleId']}".strip()
    return named


def _refers(group: Mapping[str, Any]) -> bool:
    permissions = (*group.get("IpPermissions", ()), *group.get("IpPermissionsEgress", ()))
    return any(permission.get("UserIdGroupPairs") for permission in permissions)


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
        detail={"refers": "to groups"} if _refers(group) else {},
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
