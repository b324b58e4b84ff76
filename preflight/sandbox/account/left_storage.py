"""What holds data and is left: volumes, snapshots and log groups.

https://github.com/kubernetes-sigs/aws-ebs-csi-driver (pkg/cloud, pkg/driver)
"""

from __future__ import annotations

import uuid

from preflight.sandbox.account.place import NAMESPACE, Place
from preflight.sandbox.agenda import agenda
from preflight.sandbox.eks.network import deliver_logs, log_group_name

VOLUME_GIB = 100


def leave_volume(place: Place) -> None:
    """The volume of a PersistentVolumeClaim whose pod is gone."""
    ec2, claim = place.backend("ec2"), f"pvc-{uuid.uuid4()}"
    zone = ec2.describe_availability_zones()[0].name
    volume = ec2.create_volume(size=VOLUME_GIB, zone_name=zone, volume_type="gp3")
    volume.create_time = agenda(place.world).now()
    volume.add_tags(
        {
            "Name": f"{place.name}-dynamic-{claim}",
            "KubernetesCluster": place.name,
            f"kubernetes.io/cluster/{place.name}": "owned",
            "ebs.csi.aws.com/cluster": "true",
            "ebs.csi.aws.com/cluster-name": place.name,
            "CSIVolumeName": claim,
            "kubernetes.io/created-for/pv/name": claim,
            "kubernetes.io/created-for/pvc/name": f"data-{place.kubernetes_service}-0",
            "kubernetes.io/created-for/pvc/namespace": NAMESPACE,
        }
    )
    place.note("ec2:volume", volume.id)


def leave_log_groups(place: Place) -> None:
    """The log groups of Container Insights and of a control plane whose last logs came late."""
    logs, insights = place.backend("logs"), f"/aws/containerinsights/{place.name}/performance"
    for name in (insights, log_group_name(place.name)):
        if name not in logs.groups:
            place.note("logs:log-group", name)
    if insights not in logs.groups:
        logs.create_log_group(insights, {})
    deliver_logs(place.world, place.region, place.name)


def leave_snapshot(place: Place) -> None:
    """A snapshot of a VolumeSnapshot; its volume is gone."""
    ec2 = place.backend("ec2")
    zone = ec2.describe_availability_zones()[0].name
    volume = ec2.create_volume(size=VOLUME_GIB, zone_name=zone, volume_type="gp3")
    snapshot = ec2.create_snapshot(volume.id, "Created by AWS EBS CSI driver for volume")
    snapshot.add_tags(
        {
            **place.owned(),
            "ebs.csi.aws.com/cluster": "true",
            "CSIVolumeSnapshotName": f"snapshot-{uuid.uuid4()}",
        }
    )
    ec2.delete_volume(volume.id)
    place.note("ec2:snapshot", snapshot.id)
