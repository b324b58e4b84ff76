"""The pages of the documentation that are computed: run it to write `docs/checks.md` anew.

python -m preflight.cli.pages > docs/checks.md
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from preflight.check import Check

HEAD = """\
# Checks

`preflight check` asks these questions, all side by side, and shows the answers in this order.
`preflight explain ID` prints the same words. FAIL and UNKNOWN close the gate, WARN does with
`--strict`; `--waive ID=REASON` lets it open in spite of one check. What the keys under `data`
mean is told in [reports.md](reports.md).

This page is computed: change the words in `checks/`, then run
`python -m preflight.cli.pages > docs/checks.md`.
"""


def checks_page() -> str:
    """Write `docs/checks.md`: every check of Preflight's own, in the order of `builtin.py`."""
    from checks.builtin import CHECKS

    parts = [HEAD, "| id | true when it passes |", "|---|---|"]
    parts += [f"| [{check.id}](#{check.id}) | {check.title} |" for check in CHECKS]
    for check in CHECKS:
        parts += _section(check)
    return "\n".join(parts) + "\n"


def _section(check: Check) -> Iterator[str]:
    yield from ("", f"## {check.id}", "", f"{check.title}.")
    yield from ("", f"**Why.** {_flowing(check.why)}")
    yield from ("", f"**How to mend it.** {_flowing(check.fix)}")
    yield from ("", f"**Source.** <{check.url}>")
    if check.actions:
        needed = ", ".join(f"`{action}`" for action in sorted(check.actions))
        yield from ("", f"**Needs.** {needed}")


def _flowing(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    typer.echo(checks_page(), nl=False)
