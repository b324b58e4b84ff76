"""Log groups that outlive their cluster: revived by late events, or made by an agent in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from preflight.actions import Action, actions
from preflight.aws import Aws
from preflight.found import Evidence, Found, Owner, Strength
from preflight.price import Charge
from preflight.resource import Kind

GIB = 1024**3


class ClusterLogs(Kind):
    """A log group named after the cluster; EKS makes its own anew when late events arrive.

    https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
    """

    kind = "logs/cluster-log-group"
    finds = actions("logs:DescribeLogGroups")
    deletes = (
        Action(
            name="logs:DeleteLogGroup",
            on=("arn:{owner.partition}:logs:{owner.region}:{owner.account}:log-group:/aws/*",),
        ),
    )
    dies_after = ("eks/cluster",)

    @classmethod
    def find(cls, aws: Aws, owner: Owner) -> Iterator[Found]:
        """Find by name. The prefixes end in a slash: `/aws/eks/prod/` is not `/aws/eks/prod-2/`."""
        for prefix in (f"/aws/eks/{owner.eks_name}/", f"/aws/containerinsights/{owner.eks_name}/"):
            for group in aws.each(
                "logs", "DescribeLogGroups", "logGroups", logGroupNamePrefix=prefix
            ):
                yield Found(
                    kind="logs/log-group",
                    id=group["logGroupName"],
                    region=owner.region,
                    arn=group.get("logGroupArn") or group.get("arn", "").removesuffix(":*"),
                    name=group["logGroupName"],
                    cluster=owner.cluster,
                    note="" if "retentionInDays" in group else "kept forever: it has no retention",
                    evidence=(
                        Evidence(strength=Strength.A, text=f"its name starts with {prefix}"),
                    ),
                    created=datetime.fromtimestamp(group["creationTime"] / 1000, UTC),
                    charges=(Charge(sku="logs/gb", quantity=group.get("storedBytes", 0) / GIB),),
                )

    @classmethod
    def delete(cls, aws: Aws, found: Found) -> None:
        """Ask for its deletion."""
        aws.call("logs", "DeleteLogGroup", logGroupName=found.id)
