"""Who pays? Every cluster carries the number of a cost centre as a tag."""

from __future__ import annotations

import re
from collections.abc import Iterator

from preflight import Answer, Context, Status, check

TAG = "cost-centre"
NUMBER = re.compile(r"[0-9]{4}")


@check(
    "cost-centre",
    "The cluster carries a cost centre",
    why="Without one nobody can be asked whether a cluster is still needed, and it runs for years.",
    fix="Write `tags: {cost-centre: '1234'}` into the spec, with the number of your team.",
    url="https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/cost-alloc-tags.html",
)
def cost_centre(context: Context) -> Iterator[Answer]:
    """Judge the tag of the spec; AWS is not asked."""
    number = context.spec.tags.get(TAG)
    if number is None:
        yield Answer(
            status=Status.FAIL,
            subject=TAG,
            message=f"the spec has no tag {TAG}",
            hint=f"tags: {{{TAG}: '1234'}}",
        )
    elif NUMBER.fullmatch(number):
        yield Answer(status=Status.PASS, subject=TAG, message=f"cost centre {number} pays")
    else:
        yield Answer(
            status=Status.FAIL,
            subject=TAG,
            message=f"{number!r} is no cost centre: they have four digits",
            hint="look yours up in the accounts directory",
        )
