from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
PARAMETER = "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/{}/standard/recommended/image_id"


def image(client: Client, architecture: str) -> str:
    found = client("ssm").get_parameter(Name=PARAMETER.format(architecture))
    return str(found["Parameter"]["Value"])


def ids(ec2: Any, **wanted: Any) -> set[str]:
    return {one["ImageId"] for one in ec2.describe_images(**wanted)["Images"]}


def test_the_images_that_systems_manager_names_are_there(client: Client) -> None:
    ec2 = client("ec2")
    for architecture in ("arm64", "x86_64"):
        id = image(client, architecture)
        [row] = ec2.describe_images(ImageIds=[id])["Images"]
        assert (row["ImageId"], row["Architecture"], row["ImageOwnerAlias"]) == (
            id,
            architecture,
            "amazon",
        )
        assert "-1.34-" in row["Name"]


def test_they_are_found_by_owner_and_filter_beside_ones_own(client: Client) -> None:
    ec2, id = client("ec2"), image(client, "arm64")
    mine = ec2.register_image(Name="mine", RootDeviceName="/dev/xvda")["ImageId"]
    assert ids(ec2, Owners=["self"]) == {mine}
    assert id in ids(ec2, Owners=["amazon"])
    assert mine not in ids(ec2, Owners=["602401143452"])
    assert ids(ec2, ImageIds=[id, mine]) == {id, mine}
    standard = [
        {"Name": "name", "Values": ["amazon-eks-node-al2023-arm64-standard-1.34-*"]},
        {"Name": "architecture", "Values": ["arm64"]},
    ]
    assert ids(ec2, Owners=["amazon"], Filters=standard) == {id}
    assert ids(ec2, ImageIds=[id], Filters=[{"Name": "tag:k", "Values": ["v"]}]) == set()
    with pytest.raises(ClientError, match=r"InvalidAMIID\.NotFound"):
        ec2.describe_images(ImageIds=["ami-00000000"])
