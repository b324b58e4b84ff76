"""The images that EKS offers for nodes, for DescribeImages: they are Amazon's, and public.

Systems Manager names them, see preflight/sandbox/services/parameters.py; moto has none of them.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from preflight.sandbox.request import Request, Response
from preflight.sandbox.services.parameters import SINCE, offered_images

# Whose images those of EKS are.
# https://docs.aws.amazon.com/eks/latest/userguide/add-ons-images.html
OWNER, ALIAS = "602401143452", "amazon"
Row = Mapping[str, Any]

FILTERS: dict[str, Callable[[Row], str]] = {
    "architecture": lambda row: row["Architecture"],
    "image-id": lambda row: row["ImageId"],
    "image-type": lambda row: row["ImageType"],
    "is-public": lambda row: str(row["Public"]).lower(),
    "name": lambda row: row["Name"],
    "owner-alias": lambda row: row["ImageOwnerAlias"],
    "owner-id": lambda row: row["OwnerId"],
    "root-device-type": lambda row: row["RootDeviceType"],
    "state": lambda row: row["State"],
    "virtualization-type": lambda row: row["VirtualizationType"],
}


def _rows(region: str) -> list[dict[str, Any]]:
    return [
        {
            "ImageId": id,
            "Name": name,
            "ImageLocation": f"{ALIAS}/{name}",
            "OwnerId": OWNER,
            "ImageOwnerAlias": ALIAS,
            "Public": True,
            "State": "available",
            "ImageType": "machine",
            "Architecture": "arm64" if "arm64" in name else "x86_64",
            "RootDeviceType": "ebs",
            "RootDeviceName": "/dev/xvda",
            "VirtualizationType": "hvm",
            "Hypervisor": "xen",
            "CreationDate": f"{SINCE:%Y-%m-%dT%H:%M:%S}.000Z",
        }
        for id, name in offered_images(region)
    ]


def _passes(row: Row, filters: list[Mapping[str, Any]]) -> bool:
    """Whether a row passes all filters; none of these images has tags."""
    return all(
        one["Name"] in FILTERS
        and any(fnmatch.fnmatchcase(FILTERS[one["Name"]](row), value) for value in one["Values"])
        for one in filters
    )


def describe_images(request: Request) -> dict[str, Any] | Response:
    """DescribeImages: those of EKS beside the account's own."""
    given = request.parameters
    ids, owners = given.get("ImageIds") or [], given.get("Owners") or [ALIAS]
    rows = [row for row in _rows(request.region) if {OWNER, ALIAS} & {*owners}]
    rows = [row for row in rows if not ids or row["ImageId"] in ids]
    found = {row["ImageId"] for row in rows}
    told = [row for row in rows if _passes(row, given.get("Filters") or [])]
    if ids and found.issuperset(ids):
        return {"Images": told}
    _ask_without(request, found)
    response = request.forward()
    if response.is_error:
        return response
    own = response.result.get("Images", [])
    for row in own:
        # moto has a word for it that is none of EC2's.
        row["RootDeviceType"] = row.get("RootDeviceType", "ebs").replace("standard", "ebs")
    return {**response.result, "Images": [*own, *told]}


def _ask_without(request: Request, ids: set[str]) -> None:
    """Leave out of a request the images that moto does not have."""
    fields = parse_qsl(request.body.decode(), keep_blank_values=True)
    is_one = [name.startswith("ImageId.") and value in ids for name, value in fields]
    kept = [field for field, leave in zip(fields, is_one, strict=True) if not leave]
    request.body = urlencode(kept).encode()


def name_root_device(request: Request, response: Response) -> None:
    """RegisterImage: the root device is a volume, or moto tells of a type that EC2 does not have.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html
    """
    made = request.world.backend("ec2", request.region).amis[response.result["ImageId"]]
    made.root_device_type = "ebs"


OPERATIONS = {("ec2", "DescribeImages"): describe_images}
EFFECTS = {("ec2", "RegisterImage"): name_root_device}
