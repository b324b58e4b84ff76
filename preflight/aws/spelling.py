"""AWS's names as the AWS CLI spells them."""

from __future__ import annotations

from botocore import xform_name


def cli_word(name: str) -> str:
    """Write an operation or a parameter as the AWS CLI does: `--vpc-id`, `delete-vpc`."""
    return str(xform_name(name[:1].upper() + name[1:], "-"))
