"""What is left of nodes: interfaces for pods, and what Karpenter started.

https://github.com/aws/amazon-vpc-cni-k8s, https://github.com/aws/karpenter-provider-aws
(pkg/providers/launchtemplate, pkg/providers/instanceprofile)
"""

from __future__ import annotations

import secrets
import uuid

from preflight.sandbox.account.place import Place
from preflight.sandbox.eks import node_health


def leave_interface(place: Place) -> None:
    """A network interface for pods, leaked when its node was killed while detaching it."""
    ec2, node = place.backend("ec2"), f"i-{secrets.token_hex(9)[:17]}"
    group = ec2.get_security_group_from_id(place.cluster.group_id) if place.cluster else None
    groups = [group.id] if group is not None and group.vpc_id == place.vpc_id else None
    eni = node_health.interface(
        place.world, place.region, place.subnets()[0], place.name, node, groups
    )
    place.note("ec2:network-interface", eni.id)


def leave_karpenter(place: Place) -> None:
    """An instance that Karpenter started, its launch template and its instance profile."""
    ec2, iam, token = place.backend("ec2"), place.world.backend("iam", "aws"), secrets.token_hex(8)
    owner = {
        **place.owned(),
        "eks:eks-cluster-name": place.name,
        "karpenter.sh/nodepool": "default",
    }
    template = ec2.create_launch_template(
        f"karpenter.k8s.aws/{token}", "", {"InstanceType": "c5.large"}, {"launch-template": owner}
    )
    place.note("ec2:launch-template", template.id)
    profile = iam.create_instance_profile(
        name=f"{place.name}_{token}",
        path=f"/karpenter/{place.region}/{place.name}/{uuid.uuid4()}/",
        role_names=[],
        tags=[{"Key": key, "Value": value} for key, value in owner.items()],
    )
    place.note("iam:instance-profile", profile.name)
    reservation = ec2.run_instances(
        "ami-12345678",
        1,
        None,
        [],
        instance_type="c5.large",
        is_instance_type_default=False,
        subnet_id=place.subnets()[0],
        tags={"instance": {**owner, "karpenter.sh/nodeclaim": f"default-{token[:5]}"}},
    )
    place.note("ec2:instance", reservation.instances[0].id)
