"""`preflight report FILE`: render a saved report again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from preflight.cli import options as o
from preflight.cli.asked import Asked


def report(
    file: Annotated[Path, typer.Argument(help="What `-o json:FILE` wrote.", show_default=False)],
    output: o.Outputs = None,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Render a saved report in another format; ends with 0, whatever the report says."""
    from preflight.cli.show import outputs, show
    from reports.view import read_report

    asked = Asked(outputs=tuple(output or ()), verbose=verbose, color=not no_color)
    outputs(asked)
    show(read_report(file), asked, exit=False)
