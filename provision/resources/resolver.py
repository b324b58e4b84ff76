"""DNS query logs: what the VPC of a cluster asks Route 53 Resolver, written to a log group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.errors import NotFound
from preflight.found import (
    INCARNATION_TAG,
    RESOURCE_TAG,
    Evidence,
    Found,
    Owner,
    State,
    Strength,
    tag_map,
    tagged,
)
from preflight.names import QUERY_LOG, NameRule, derive
from preflight.resource import READY, WAIT, Failed, Ids, Readiness, Resource
from provision.resources.logs import LogGroup
from provision.resources.vpc import Vpc

_CONFIGS = (
    "arn:{owner.partition}:route53resolver:{owner.region}:{owner.account}"
    ":resolver-query-log-config/*"
)
_HEAD = replace(QUERY_LOG, maximum=32)


def prefix(owner: Owner) -> str:
    """Give what the names of an owner's configurations begin with: `dev--`."""
    return f"{derive(_HEAD, owner.cluster)}--"


def config_name(owner: Owner, name: str) -> str:
    """Name the configuration that the plan calls `name`: `dev--dns`."""
    return prefix(owner) + name


def _configs(aws: Aws, owner: Owner) -> Iterator[tuple[dict[str, Any], dict[str, str], Evidence]]:
    """Give the owner's configurations with tags and evidence; those of other accounts are shared.

    Both kinds of this file start here, because an association carries neither name nor tags.
    """
    own = prefix(owner)
    for config in aws.each(
        "route53resolver", "ListResolverQueryLogConfigs", "ResolverQueryLogConfigs"
    ):
        if not config["Name"].startswith(own) or config["OwnerId"] != owner.account:
            continue
        try:
            listed = list(
                aws.each(
                    "route53resolver", "ListTagsForResource", "Tags", ResourceArn=config["Arn"]
                )
            )
        except NotFound:
            continue  # gone since it was listed
        tags = tag_map(listed)
        if (evidence := tagged(tags, owner)) is not None:
            yield config, tags, evidence


_FINDS = (
    *actions("route53resolver:ListResolverQueryLogConfigs"),
    Action(name="route53resolver:ListTagsForResource", on=(_CONFIGS,)),
)


class QueryLogConfig(Resource):
    """Says where DNS queries are logged; a `QueryLogAssociation` says whose.

    `config_name` comes from `resolver.config_name(owner, name)`.
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs.html
    """

    kind = "route53resolver/query-log-config"
    creates = (
        Action(name="route53resolver:CreateResolverQueryLogConfig", on=(_CONFIGS,), tagged=True),
        Action(name="route53resolver:TagResource", on=(_CONFIGS,), tagged=True, by_hand=True),
        # Resolver sets up the delivery to the log group in the caller's name:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
        *(
            Action(name=name, by_hand=True)
            for name in (
                "logs:CreateLogDelivery",
                "logs:PutResourcePolicy",
                "logs:DescribeResourcePolicies",
                "logs:DescribeLogGroups",
            )
        ),
    )
    finds = (
        *_FINDS,
        Action(name="route53resolver:GetResolverQueryLogConfig", on=(_CONFIGS,)),
    )
    deletes = (
        Action(name="route53resolver:DeleteResolverQueryLogConfig", on=(_CONFIGS,)),
        Action(name="logs:DeleteLogDelivery", by_hand=True),
    )
    dies_after = ("route53resolver/query-log-association",)
    takes = (5.0, 5.0)

    config_name: str
    log_group: LogGroup

    def names(self) -> Iterator[tuple[NameRule, str]]:
        """The configuration's name."""
        yield QUERY_LOG, self.config_name

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Ask for the configuration and give its id."""
        owner = ids.owner
        group = ids[self.log_group]
        answer = aws.call(
            "route53resolver",
            "CreateResolverQueryLogConfig",
            Name=self.config_name,
            DestinationArn=f"arn:{owner.partition}:logs:{owner.region}:{owner.account}"
            f":log-group:{group}:*",
            CreatorRequestId=token,
            Tags=[
                {"Key": key, "Value": value}
                for key, value in sorted(owner.tags(self.address).items())
            ],
        )
        return str(answer["ResolverQueryLogConfig"]["Id"])

    def ready(self, aws: Aws, ids: Ids, id: str) -> Readiness:
        """Say whether it is CREATED."""
        del ids
        config = aws.call(
            "route53resolver", "GetResolverQueryLogConfig", ResolverQueryLogConfigId=id
        )["ResolverQueryLogConfig"]
        if config["Status"] == "FAILED":
            return Failed(reason="FAILED: Resolver may not write to the log group", again=True)
        return READY if config["Status"] == "CREATED" else WAIT

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by name, then by tag."""
        for config, tags, evidence in _configs(aws, owner):
            yield Found(
                kind=cls.kind,
                id=config["Id"],
                region=owner.region,
                arn=config["Arn"],
                name=config["Name"],
                address=tags.get(RESOURCE_TAG, ""),
                cluster=owner.cluster,
                incarnation=tags.get(INCARNATION_TAG, ""),
                state=State.GOING if config["Status"] == "DELETING" else State.PRESENT,
                evidence=(evidence,),
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion; refused while a VPC is associated."""
        aws.call(
            "route53resolver", "DeleteResolverQueryLogConfig", ResolverQueryLogConfigId=found.id
        )


class QueryLogAssociation(Resource):
    """Logs the queries of one VPC. It carries no tags: its name must be its configuration's."""

    kind = "route53resolver/query-log-association"
    creates = (
        Action(name="route53resolver:AssociateResolverQueryLogConfig", on=(_CONFIGS,)),
        Action(name="ec2:DescribeVpcs", by_hand=True),
    )
    finds = (
        *_FINDS,
        *actions(
            "route53resolver:ListResolverQueryLogConfigAssociations",
            "route53resolver:GetResolverQueryLogConfigAssociation",
        ),
    )
    deletes = (Action(name="route53resolver:DisassociateResolverQueryLogConfig", on=(_CONFIGS,)),)
    takes = (30.0, 30.0)

    config: QueryLogConfig
    vpc: Vpc

    def create(self, aws: Aws, ids: Ids, token: str) -> str:
        """Associate the VPC; a second time is refused, so nothing is made twice."""
        del token
        answer = aws.call(
            "route53resolver",
            "AssociateResolverQueryLogConfig",
            ResolverQueryLogConfigId=ids[self.config],
            ResourceId=ids[self.vpc],
        )
        return str(answer["ResolverQueryLogConfigAssociation"]["Id"])

    def ready(self, aws: Aws, ids: Ids, id: str) -> Readiness:
        """Say whether queries are logged."""
        del ids
        association = aws.call(
            "route53resolver",
            "GetResolverQueryLogConfigAssociation",
            ResolverQueryLogConfigAssociationId=id,
        )["ResolverQueryLogConfigAssociation"]
        if association["Status"] in {"FAILED", "ACTION_NEEDED"}:
            told = f"{association.get('Error', '')}: {association.get('ErrorMessage', '')}"
            return Failed(reason=f"{association['Status']}: {told}")
        return READY if association["Status"] == "ACTIVE" else WAIT

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by the configuration, which has the owner's name and tags."""
        configs = {config["Id"]: (config, tags) for config, tags, _ in _configs(aws, owner)}
        for association in aws.each(
            "route53resolver",
            "ListResolverQueryLogConfigAssociations",
            "ResolverQueryLogConfigAssociations",
        ):
            if association["ResolverQueryLogConfigId"] not in configs:
                continue
            config, tags = configs[association["ResolverQueryLogConfigId"]]
            name = config["Name"].removeprefix(prefix(owner))
            yield Found(
                kind=cls.kind,
                id=association["Id"],
                region=owner.region,
                name=f"{config['Name']} of {association['ResourceId']}",
                address=f"{cls.kind}/{name}",
                cluster=owner.cluster,
                incarnation=tags.get(INCARNATION_TAG, ""),
                state=State.GOING if association["Status"] == "DELETING" else State.PRESENT,
                evidence=(Evidence(strength=Strength.A, text=f"configuration {config['Name']}"),),
                blocks=(config["Id"],),
                detail={"config": config["Id"], "vpc": association["ResourceId"]},
            )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Stop logging the VPC's queries."""
        aws.call(
            "route53resolver",
            "DisassociateResolverQueryLogConfig",
            ResolverQueryLogConfigId=found.detail["config"],
            ResourceId=found.detail["vpc"],
        )
