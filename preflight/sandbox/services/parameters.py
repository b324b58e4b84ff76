"""The public parameters of Systems Manager that name the images of EKS's nodes.

`/aws/service/eks/optimized-ami/VERSION/VARIANT/.../recommended[/image_id|/release_version]`
https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from preflight.sandbox.eks.versions import CALENDAR
from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request, Response

ROOT = "/aws/service/eks/optimized-ami/"
RECOMMENDED = "recommended"
# Variant in the parameter's name -> what the images are called.
VARIANTS = {
    "amazon-linux-2023/arm64/nvidia": "amazon-eks-node-al2023-arm64-nvidia",
    "amazon-linux-2023/arm64/standard": "amazon-eks-node-al2023-arm64-standard",
    "amazon-linux-2023/x86_64/neuron": "amazon-eks-node-al2023-x86_64-neuron",
    "amazon-linux-2023/x86_64/nvidia": "amazon-eks-node-al2023-x86_64-nvidia",
    "amazon-linux-2023/x86_64/standard": "amazon-eks-node-al2023-x86_64-standard",
    "amazon-linux-2": "amazon-eks-node",
    "amazon-linux-2-arm64": "amazon-eks-arm64-node",
    "amazon-linux-2-gpu": "amazon-eks-gpu-node",
}
# Amazon Linux 2 ended with this version.
LAST_AMAZON_LINUX_2 = "1.32"
SINCE = datetime(2026, 4, 15, tzinfo=UTC)
LARGEST_PAGE = 10


def _offered(version: str, variant: str) -> bool:
    known = [row[0] for row in CALENDAR]
    if version not in known or variant not in VARIANTS:
        return False
    is_old = variant.startswith("amazon-linux-2") and not variant.startswith("amazon-linux-2023")
    return not is_old or known.index(version) >= known.index(LAST_AMAZON_LINUX_2)


def _values(region: str, version: str, variant: str) -> dict[str, str]:
    """Give the values under one variant, by the end of their names."""
    digest = hashlib.sha256(f"{region} {version} {variant}".encode()).hexdigest()
    image, release = f"ami-{digest[:17]}", f"{version}.0-{SINCE:%Y%m%d}"
    name = f"{VARIANTS[variant]}-{version}-v{SINCE:%Y%m%d}"
    whole = {
        "schema_version": "2",
        "image_id": image,
        "image_name": name,
        "release_version": release,
    }
    return {
        RECOMMENDED: json.dumps(whole),
        f"{RECOMMENDED}/image_id": image,
        f"{RECOMMENDED}/image_name": name,
        f"{RECOMMENDED}/release_version": release,
    }


def offered_images(region: str) -> Iterator[tuple[str, str]]:
    """Yield id and name of each image that a parameter of a Region names."""
    for version, *_ in CALENDAR:
        for variant in VARIANTS:
            if _offered(version, variant):
                values = _values(region, version, variant)
                yield values[f"{RECOMMENDED}/image_id"], values[f"{RECOMMENDED}/image_name"]


def _parameter(request: Request, name: str) -> dict[str, Any] | None:
    """Describe a public parameter, or None when there is none of that name."""
    version, _, rest = name.removeprefix(ROOT).partition("/")
    variant, found, end = rest.partition(f"/{RECOMMENDED}")
    if not name.startswith(ROOT) or not found or not _offered(version, variant):
        return None
    value = _values(request.region, version, variant).get(f"{RECOMMENDED}{end}")
    if value is None:
        return None
    return {
        "Name": name,
        "Type": "String",
        "Value": value,
        "Version": 1,
        "LastModifiedDate": SINCE,
        "ARN": f"arn:aws:ssm:{request.region}::parameter{name}",
        "DataType": "text",
    }


def get_parameter(request: Request) -> dict[str, Any] | Response:
    """GetParameter."""
    name = request.parameters["Name"]
    if not name.startswith(ROOT):
        return request.forward()
    found = _parameter(request, name)
    if found is None:
        raise AwsFault("ParameterNotFound", "")
    return {"Parameter": found}


def get_parameters(request: Request) -> dict[str, Any] | Response:
    """GetParameters: public ones beside the account's own."""
    names = request.parameters["Names"]
    public = [name for name in names if name.startswith(ROOT)]
    if not public:
        return request.forward()
    answer: dict[str, Any] = {"Parameters": [], "InvalidParameters": []}
    rest = [name for name in names if name not in public]
    if rest:
        request.body = json.dumps({**json.loads(request.body), "Names": rest}).encode()
        response = request.forward()
        if response.is_error:
            return response
        answer |= response.result
    for name in public:
        found = _parameter(request, name)
        answer["Parameters" if found else "InvalidParameters"].append(found or name)
    return answer


def get_by_path(request: Request) -> dict[str, Any] | Response:
    """GetParametersByPath; the public ones only below the path of EKS's images."""
    given = request.parameters
    path = given["Path"].rstrip("/") + "/"
    if not path.startswith(ROOT):
        return request.forward()
    names = sorted(
        f"{ROOT}{row[0]}/{variant}/{end}"
        for row in CALENDAR
        for variant in VARIANTS
        if _offered(row[0], variant)
        for end in _values(request.region, row[0], variant)
    )
    below = [name for name in names if name.startswith(path)]
    if not given.get("Recursive"):
        below = [name for name in below if "/" not in name.removeprefix(path)]
    start = int(given.get("NextToken") or 0)
    end = start + int(given.get("MaxResults") or LARGEST_PAGE)
    answer: dict[str, Any] = {
        "Parameters": [_parameter(request, name) for name in below[start:end]]
    }
    return answer | ({"NextToken": str(end)} if end < len(below) else {})


OPERATIONS = {
    ("ssm", "GetParameter"): get_parameter,
    ("ssm", "GetParameters"): get_parameters,
    ("ssm", "GetParametersByPath"): get_by_path,
}
