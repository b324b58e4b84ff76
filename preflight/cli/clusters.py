"""`preflight clusters`: what there is, in the words of the vendor's own list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from preflight.cli import options as o
from preflight.cli.asked import Asked, configured_region, connected, environment

if TYPE_CHECKING:
    from preflight.aws import Aws
    from reports.view import ClusterRow

#: What EKS says, in the vendor's words.
STATUS = {"ACTIVE": "running", "CREATING": "pending", "DELETING": "deleting", "FAILED": "failed"}


def clusters(
    region: o.Region = None,
    profile: o.AwsProfile = None,
    sandbox: o.OnSandbox = False,
    output: o.Outputs = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """List the clusters of a Region: id, name, status, when they were created."""
    from preflight.cli.assemble import report
    from preflight.cli.show import outputs, show
    from reports.view import Kind, Outcome

    asked = Asked.of(locals())
    outputs(asked)
    with environment(asked):
        aws = connected(region or configured_region(profile) or "us-east-1", profile)
        account = aws.identity.account
        rows = (*living(aws), *unfinished(aws))
        show(
            report(
                Kind.CLUSTERS,
                Outcome.DONE,
                asked=asked,
                calls=aws.calls,
                account=account,
                region=aws.region,
                clusters=rows,
            ),
            asked,
        )


def living(aws: Aws) -> tuple[ClusterRow, ...]:
    """List what EKS knows, with the name it was asked for by where Preflight's tags tell."""
    from preflight.found import CLUSTER_TAG, tag_map
    from reports.view import ClusterRow

    rows = []
    for name in aws.each("eks", "ListClusters", "clusters"):
        cluster: dict[str, Any] = aws.call("eks", "DescribeCluster", name=name)["cluster"]
        tags = tag_map(cluster.get("tags"))
        rows.append(
            ClusterRow(
                id=name,
                name=tags.get(CLUSTER_TAG, name),
                status=STATUS.get(cluster["status"], cluster["status"].lower()),
                region=aws.region,
                type="byoc" if CLUSTER_TAG in tags else "eks",
                created=cluster.get("createdAt"),
            )
        )
    return tuple(rows)


def unfinished(aws: Aws) -> tuple[ClusterRow, ...]:
    """List what a journal of this machine knows and EKS does not: begun, or partly torn down."""
    from preflight.found import Owner
    from preflight.journal import Event
    from preflight.state import State, default_folder
    from reports.view import ClusterRow

    state = State(folder=default_folder())
    account = aws.identity.account
    known = set(aws.each("eks", "ListClusters", "clusters"))
    rows = []
    for name in state.clusters(account, aws.region):
        owner = Owner(cluster=name, account=account, region=aws.region)
        if owner.eks_name in known:
            continue
        with state.journal(account, aws.region, name) as journal:
            last = journal.latest().values()
            alive = [one for one in last if one.event not in {Event.GONE, Event.ADOPTED}]
            began = next((entry.at for entry in journal.entries()), None)
        if alive:
            rows.append(
                ClusterRow(
                    id=owner.eks_name,
                    name=name,
                    status="unfinished",
                    region=aws.region,
                    created=began,
                )
            )
    return tuple(rows)
