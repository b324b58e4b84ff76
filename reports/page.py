"""A page of a terminal: lines that never break an ARN or a command, and colour only if wanted."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from textwrap import TextWrapper
from types import MappingProxyType
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.clean import clean
from reports.options import Options
from reports.words import SIGNS

#: Wider than anything AWS names: in a pipe nothing may be broken or cut.
_ENDLESS: Final = 100_000

STYLES: Final = MappingProxyType(
    {
        "pass": "green",
        "warn": "yellow",
        "fail": "bold red",
        "unknown": "bold magenta",
        "skip": "dim",
        "leftover": "bold red",
        "possible": "yellow",
        "wait": "cyan",
        "keep": "dim",
        "ghost": "dim",
    }
)


class Page:
    """Collects lines and tables, and gives them back as one text.

    Every string is cleaned here, and reaches rich as Text, never as markup.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._buffer = io.StringIO()
        self._console = Console(
            file=self._buffer,
            width=options.width or _ENDLESS,
            force_terminal=options.color,
            no_color=not options.color,
            color_system="standard" if options.color else None,
            legacy_windows=False,
            markup=False,
            highlight=False,
            emoji=False,
            _environ={},
        )

    def line(self, *parts: str | tuple[str, str], indent: int = 0) -> None:
        """Write one line, never broken; a part is text, or text and its style."""
        text = Text(" " * indent)
        for part in parts:
            words, style = (part, "") if isinstance(part, str) else part
            text.append(clean(words), style)
        text.rstrip()
        self._console.print(text, soft_wrap=True)

    def prose(self, words: str, *, indent: int = 0, label: str = "", style: str = "") -> None:
        """Write a sentence broken between words where the terminal ends; words stay whole."""
        first = " " * indent + label
        wrapper = TextWrapper(
            width=max((self.options.width or _ENDLESS), len(first) + 20),
            initial_indent=first,
            subsequent_indent=" " * len(first),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in wrapper.wrap(clean(words)) or [first]:
            start, rest = (label, line[len(first) :]) if line.startswith(first) else ("", line)
            if start:
                self.line((start, "dim"), (rest, style), indent=indent)
            else:
                self.line((rest.strip(), style), indent=len(line) - len(line.lstrip()))

    def status(self, status: str, *parts: str | tuple[str, str], indent: int = 0) -> None:
        """Write a line that begins with a status, as sign and word."""
        sign = (f"{SIGNS[status]} {status:<8}", STYLES[status])
        self.line(sign, " ", *parts, indent=indent)

    def heading(self, words: str) -> None:
        """Write a heading with an empty line before it."""
        self.gap()
        self.line((words, "bold"))

    def gap(self) -> None:
        """Leave one line empty."""
        self._console.print()

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()
    ) -> None:
        """Draw a table, without rules in a pipe; `right` names the columns of numbers."""
        rules = box.SIMPLE_HEAD if self.options.width else None
        table = Table(box=rules, show_edge=False, pad_edge=False, header_style="bold")
        for name in columns:
            table.add_column(
                name, justify="right" if name in right else "left", overflow="fold", no_wrap=False
            )
        for row in rows:
            table.add_row(*(Text(clean(cell)) for cell in row))
        self._console.print(table)

    def text(self) -> str:
        """Return the page; no line ends in blanks, the last one ends."""
        lines = self._buffer.getvalue().splitlines()
        if not self.options.color:
            lines = [line.rstrip() for line in lines]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
