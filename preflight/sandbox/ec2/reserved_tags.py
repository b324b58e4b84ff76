"""Tags that begin with `aws:` are AWS's own: nobody else gives or takes them.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html
The words: https://github.com/cloud-custodian/cloud-custodian/issues/5975
"""

from __future__ import annotations

from preflight.sandbox.fault import AwsFault
from preflight.sandbox.request import Request

RESERVED = "aws:"


def refuse_reserved(request: Request) -> None:
    """Refuse a reserved key, on things that are there and on those about to be made.

    A scenario may give them: it says what AWS has put there.
    """
    if request.is_privileged:
        return
    given = request.parameters
    specified = [one.get("Tags") or () for one in given.get("TagSpecifications") or ()]
    direct = given.get("Tags") or () if request.operation in {"CreateTags", "DeleteTags"} else ()
    for tag in [*direct, *(tag for tags in specified for tag in tags)]:
        key = str(tag.get("Key", ""))
        if key.lower().startswith(RESERVED):
            message = f"Value ( {key} ) for parameter key is invalid. Tag keys starting with "
            raise AwsFault(
                "InvalidParameterValue", message + "'aws:' are reserved for internal use"
            )


RULES = {("ec2", "*"): refuse_reserved}
