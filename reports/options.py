"""How a report is to be drawn: decided once, from the stream and the environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a renderer may be told; a format ignores what does not concern it."""

    #: Columns of the terminal. None: a pipe or a file, where no line is ever broken.
    width: int | None = None
    color: bool = False
    #: List what passed, too.
    verbose: bool = False
    #: The spec file that CI formats point at, relative to the root of the repository.
    spec_path: str | None = None

    @classmethod
    def of(
        cls,
        stream: TextIO,
        environ: Mapping[str, str] | None = None,
        *,
        color: bool = True,
        verbose: bool = False,
        spec_path: str | None = None,
    ) -> Options:
        """Suit the stream: width and colour on a terminal, neither in a pipe.

        NO_COLOR (any value but empty, https://no-color.org) and TERM=dumb win over FORCE_COLOR;
        `color=False` is `--no-color` and wins over all.
        """
        environ = os.environ if environ is None else environ
        terminal = stream.isatty()
        wanted = terminal or bool(environ.get("FORCE_COLOR"))
        refused = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
        return cls(
            width=shutil.get_terminal_size().columns if terminal else None,
            color=color and wanted and not refused,
            verbose=verbose,
            spec_path=spec_path,
        )
