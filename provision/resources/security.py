"""Security groups and their rules, which are things of their own so that groups can be mutual."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Literal

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import AlreadyExists
from preflight.found import Found, Owner
from preflight.names import SECURITY_GROUP, NameRule
from preflight.quota import Demand
from preflight.quotas.catalogue import RULES_PER_SECURITY_GROUP, SECURITY_GROUPS
from preflight.resource import Ids, Resource
from provision.resources import ec2
from provision.resources.vpc import Vpc

#: What holds network interfaces that are in a group.
USERS = ("eks/cluster", "eks/nodegroup", "ec2/vpc-endpoint")


class SecurityGroup(Resource):
    """A named set of network interfaces, and what may reach them.

    AWS gives a new group one rule that allows all outbound traffic. It is left in place: nodes
    pull images and call AWS, and a closed way out would have to be opened again at once. So a
    plan needs no outbound rules, except towards the group itself for EFA.
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
    """

    kind = "ec2/security-group"
    creates = ec2.creates("CreateSecurityGroup", "security-group", "vpc")
    finds = actions("ec2:DescribeSecurityGroups")
    deletes = (Action(name="ec2:DeleteSecurityGroup", on=(ec2.arn("security-group"),)),)
    #: A group named in a rule of another one cannot be deleted, so all rules go first.
    dies_after = (*USERS, "ec2/security-group-rule")

    vpc: Vpc
    #: Its name in AWS, unique within the VPC.
    group_name: str
    description: str = "made by preflight"

    def demands(self) -> Iterator[Demand]:
        """One of the groups of the Region, and the outbound rule that AWS puts into it."""
        yield Demand(quota=SECURITY_GROUPS)
        yield Demand(quota=RULES_PER_SECURITY_GROUP, within=f"{self.address}/egress")

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The name of the group."""
        yield SECURITY_GROUP, self.group_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the group; a name that is taken in the VPC raises `AlreadyExists`."""
        del token
        answer = aws.call(
            "ec2",
            "CreateSecurityGroup",
            GroupName=self.group_name,
            Description=self.description,
            VpcId=ids[self.vpc],
            TagSpecifications=ec2.tag_specifications("security-group", ids, self),
        )
        return str(answer["GroupId"])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by tag."""
        for found, described in ec2.each_found(
            aws, owner, cls, "DescribeSecurityGroups", "SecurityGroups", "GroupId"
        ):
            yield dataclasses.replace(
                found, name=described["GroupName"], blocks=(described["VpcId"],)
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; refused while an interface or another group's rule uses it."""
        aws.call("ec2", "DeleteSecurityGroup", GroupId=found.id)


class SecurityGroupRule(Resource):
    """One rule of a group: `source` is the other end, a group or a CIDR, in both directions.

    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
    """

    kind = "ec2/security-group-rule"
    creates = (
        *ec2.creates("AuthorizeSecurityGroupIngress", "security-group-rule", "security-group"),
        *ec2.creates("AuthorizeSecurityGroupEgress", "security-group-rule", "security-group"),
    )
    finds = actions("ec2:DescribeSecurityGroupRules")
    deletes = (
        Action(name="ec2:RevokeSecurityGroupIngress", on=(ec2.arn("security-group"),)),
        Action(name="ec2:RevokeSecurityGroupEgress", on=(ec2.arn("security-group"),)),
    )
    #: Draining nodes and their control plane still talk to each other.
    dies_after = USERS

    group: SecurityGroup
    source: SecurityGroup | str
    direction: Literal["ingress", "egress"] = "ingress"
    #: `tcp`, `udp`, or `-1` for everything.
    protocol: str = "tcp"
    from_port: int | None = None
    to_port: int | None = None

    def demands(self) -> Iterator[Demand]:
        """One of the rules of its group; AWS counts each direction by itself."""
        within = f"{self.group.address}/{self.direction}"
        yield Demand(quota=RULES_PER_SECURITY_GROUP, within=within)

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the rule; when the group has it already, that one is used."""
        del token
        group = ids[self.group]
        way = "Egress" if self.direction == "egress" else "Ingress"
        try:
            answer = aws.call(
                "ec2",
                f"AuthorizeSecurityGroup{way}",
                GroupId=group,
                IpPermissions=[self._permission(ids)],
                TagSpecifications=ec2.tag_specifications("security-group-rule", ids, self),
            )
        except AlreadyExists:
            same = self._same(aws, ids, group)
            if same is None:
                raise
            return same
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by the rule's own tag."""
        for found, rule in ec2.each_found(
            aws,
            owner,
            cls,
            "DescribeSecurityGroupRules",
            "SecurityGroupRules",
            "SecurityGroupRuleId",
        ):
            group = rule["GroupId"]
            way = "Egress" if rule["IsEgress"] else "Ingress"
            other = rule.get("ReferencedGroupInfo", {}).get("GroupId", group)
            yield dataclasses.replace(
                found,
                detail={"group": group, "way": way},
                blocks=(other,) if other != group else (),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Take the rule out of its group."""
        aws.call(
            "ec2",
            f"RevokeSecurityGroup{found.detail['way']}",
            GroupId=found.detail["group"],
            SecurityGroupRuleIds=[found.id],
        )

    def _other_end(self, ids: Ids) -> tuple[str, str, str]:
        """Say who the other end is: list and key in `IpPermissions`, and the value."""
        if isinstance(self.source, SecurityGroup):
            return "UserIdGroupPairs", "GroupId", ids[self.source]
        if ":" in self.source:
            return "Ipv6Ranges", "CidrIpv6", self.source
        return "IpRanges", "CidrIp", self.source

    def _permission(self, ids: Ids) -> dict[str, Any]:
        ends, key, value = self._other_end(ids)
        permission: dict[str, Any] = {"IpProtocol": self.protocol, ends: [{key: value}]}
        if self.from_port is not None:
            permission["FromPort"] = self.from_port
            permission["ToPort"] = self.from_port if self.to_port is None else self.to_port
        return permission

    def _same(self, aws: Aws, ids: Ids, group: str) -> str | None:
        """Find the rule of the group that says what this one says; no port is -1 there."""
        mine = self._permission(ids)
        ports = [mine.get("FromPort", -1), mine.get("ToPort", -1)]
        wanted = [self.direction == "egress", self.protocol, *ports, self._other_end(ids)[2]]
        in_group = [{"Name": "group-id", "Values": [group]}]
        for rule in aws.each(
            "ec2", "DescribeSecurityGroupRules", "SecurityGroupRules", Filters=in_group
        ):
            source = rule.get("CidrIpv4") or rule.get("CidrIpv6")
            source = source or rule.get("ReferencedGroupInfo", {}).get("GroupId")
            ports = [rule.get("FromPort", -1), rule.get("ToPort", -1)]
            if [rule["IsEgress"], rule["IpProtocol"], *ports, source] == wanted:
                return str(rule["SecurityGroupRuleId"])
        return None
