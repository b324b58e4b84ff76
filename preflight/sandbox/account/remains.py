"""What moto remembers of things that are gone, and AWS does not: their tags.

A log group or bucket made anew under the same name would have the tags of the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from preflight.sandbox.account.unchanged import is_left_out
from preflight.sandbox.request import Request, Response

# Ids of what there is of a type, by the prefix of the ids; tags of other types are left alone.
THERE: dict[str, Callable[[Any], Iterable[str]]] = {
    "acl": lambda ec2: ec2.network_acls,
    "eipalloc": lambda ec2: (address.allocation_id for address in ec2.addresses),
    "eni": lambda ec2: ec2.enis,
    "i": lambda ec2: (
        one.id
        for group in ec2.reservations.values()
        for one in group.instances
        if not is_left_out(one)
    ),
    "igw": lambda ec2: ec2.internet_gateways,
    "lt": lambda ec2: ec2.launch_templates,
    "nat": lambda ec2: ec2.nat_gateways,
    "rtb": lambda ec2: ec2.route_tables,
    "sg": lambda ec2: (id for groups in ec2.groups.values() for id in groups),
    "sgr": lambda ec2: (
        rule.id
        for groups in ec2.groups.values()
        for group in groups.values()
        for rule in (*group.ingress_rules, *group.egress_rules)
    ),
    "snap": lambda ec2: ec2.snapshots,
    "subnet": lambda ec2: (id for zone in ec2.subnets.values() for id in zone),
    "vol": lambda ec2: ec2.volumes,
    "vpc": lambda ec2: ec2.vpcs,
    "vpce": lambda ec2: ec2.vpc_end_points,
}


def gone(ec2: Any) -> set[str]:
    """Give the ids in a Region that have tags in moto still, and are not there any more."""
    there = {prefix: set(ids(ec2)) for prefix, ids in THERE.items()}
    return {id for id in ec2.tags if id not in there.get(id.partition("-")[0], {id})}


def keys_gone(kms: Any) -> set[str]:
    """Give the ids of keys that have tags, and are gone or about to be."""
    staying = {id for id, key in kms.keys.items() if not is_left_out(key)}
    return {id for id in kms.tagger.tags if id not in staying}


def log_group_deleted(request: Request, _: Response) -> None:
    """The tags of a log group go with it."""
    name = request.parameters["logGroupName"]
    arn = f"arn:aws:logs:{request.region}:{request.account}:log-group:{name}"
    request.world.backend("logs", request.region).tagger.delete_all_tags_for_resource(arn)


def bucket_deleted(request: Request, _: Response) -> None:
    """The tags of a bucket go with it."""
    arn = f"arn:aws:s3:::{request.parameters['Bucket']}"
    request.world.backend("s3", "aws").tagger.delete_all_tags_for_resource(arn)


def load_balancing_deleted(request: Request, _: Response) -> None:
    """The tags of a load balancer, its listeners and target groups go with each of them."""
    elb = request.world.backend("elbv2", request.region)
    listeners = [one for each in elb.load_balancers.values() for one in each.listeners.values()]
    rules = {rule.arn for one in listeners for rule in one.rules.values()}
    there = {*elb.load_balancers, *elb.target_groups, *(one.arn for one in listeners), *rules}
    for arn in set(elb.tagging_service.tags) - there:
        elb.tagging_service.delete_all_tags_for_resource(arn)


EFFECTS = {
    **{
        ("elbv2", f"Delete{kind}"): load_balancing_deleted
        for kind in ("Listener", "LoadBalancer", "Rule", "TargetGroup")
    },
    ("logs", "DeleteLogGroup"): log_group_deleted,
    ("s3", "DeleteBucket"): bucket_deleted,
}
