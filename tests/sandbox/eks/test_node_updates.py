"""Changes of a living node group."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

Account = Any


def test_a_node_group_can_be_resized_and_updated_to_another_template_version(
    account: Account,
) -> None:
    account.cluster()
    id = account.template(InstanceType="m5.large")
    one = {"minSize": 0, "maxSize": 3, "desiredSize": 1}
    account.create_nodes(launchTemplate={"id": id, "version": "1"}, scalingConfig=one)
    account.advance(205)
    account.eks.update_nodegroup_config(
        clusterName="prod",
        nodegroupName="workers",
        scalingConfig={"desiredSize": 2},
        labels={"addOrUpdateLabels": {"a": "b"}},
    )
    with pytest.raises(ClientError, match="update in progress"):
        account.eks.update_nodegroup_version(clusterName="prod", nodegroupName="workers")
    account.advance(31)
    assert (len(account.instances()), account.nodes()["labels"]) == (2, {"a": "b"})

    account.ec2.create_launch_template_version(
        LaunchTemplateId=id, LaunchTemplateData={"InstanceType": "r5.large"}
    )
    account.eks.update_nodegroup_version(
        clusterName="prod", nodegroupName="workers", launchTemplate={"id": id, "version": "2"}
    )
    account.advance(301)
    assert account.nodes()["launchTemplate"]["version"] == "2"
    assert {one["InstanceType"] for one in account.instances()} == {"r5.large"}
