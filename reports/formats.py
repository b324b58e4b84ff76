"""The formats a report can be had in, and where each goes: `-o FORMAT[:PATH]`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Final, Protocol, TextIO, cast

from preflight.errors import UsageError
from reports.options import Options
from reports.view import Report

__all__ = ["FORMATS", "Options", "Output", "parse_output", "parse_outputs", "render", "write"]


class Renderer(Protocol):
    """Draws a report; the text it returns ends with a newline."""

    def __call__(self, report: Report, *, options: Options) -> str:
        """Draw the report, the same text for the same report and options."""
        ...


#: Format name -> where its renderer is; it is imported when it is used.
FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "text": "reports.text:render",
        "json": "reports.json:render",
        "jsonl": "reports.json:render_lines",
        "html": "reports.html:render",
        "markdown": "reports.markdown:render",
        "csv": "reports.csv:render",
        "junit": "reports.junit:render",
        "sarif": "reports.sarif:render",
        "github": "reports.github:render",
    }
)


@dataclass(frozen=True, kw_only=True)
class Output:
    """One `-o`: a format, and a file; no file is standard output."""

    format: str
    path: Path | None = None


def render(name: str, report: Report, *, options: Options | None = None) -> str:
    """Draw the report in one of FORMATS; raise UsageError if there is no such format."""
    if name not in FORMATS:
        raise UsageError(f"there is no format {name!r}", f"one of: {', '.join(FORMATS)}")
    renderer = cast("Renderer", resolve_name(FORMATS[name]))
    return renderer(report, options=options or Options())


def parse_output(text: str) -> Output:
    """Read `FORMAT[:PATH]`; `-` and no path mean standard output.

    Raises UsageError if the format is unknown or nothing can be written to the path, so that a
    typing mistake costs nothing: call it before the work is done.
    """
    name, colon, target = text.partition(":")
    if name not in FORMATS:
        raise UsageError(f"there is no format {name!r}", f"one of: {', '.join(FORMATS)}")
    if colon and not target:
        raise UsageError(f"`-o {text}` names no file", f"write `-o {name}` or `-o {name}:PATH`")
    if target in {"", "-"}:
        return Output(format=name)
    path = Path(target).expanduser()
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a directory", "name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no directory {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"cannot write {path}: permission denied")
    return Output(format=name, path=path)


def parse_outputs(texts: Iterable[str]) -> tuple[Output, ...]:
    """Read every `-o`, text on standard output if there is none; refuse two for one target."""
    outputs = tuple(parse_output(text) for text in texts) or (Output(format="text"),)
    targets = [output.path for output in outputs]
    for target in targets:
        if targets.count(target) > 1:
            raise UsageError(
                f"two outputs for {target or 'standard output'}", "give all but one a file"
            )
    return outputs


def write(
    report: Report,
    outputs: Sequence[Output],
    stdout: TextIO,
    *,
    options: Options | None = None,
) -> None:
    """Write the report to each output; a file appears whole or not at all.

    `options` suit `stdout` (by default worked out from it); files get neither colour nor width.
    Raises UsageError if a file cannot be written.
    """
    screen = options or Options.of(stdout)
    for output in outputs:
        if output.path is None:
            _print(render(output.format, report, options=screen), stdout)
        else:
            plain = replace(screen, width=None, color=False)
            _replace(output.path, render(output.format, report, options=plain))


def _print(text: str, stdout: TextIO) -> None:
    # A terminal that cannot show a sign gets its number, not a traceback.
    encoding = stdout.encoding or "utf-8"
    stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stdout.flush()


def _replace(path: Path, text: str) -> None:
    """Write beside the file and rename, so that no reader ever sees half a report."""
    content = text.encode("utf-8", "backslashreplace")
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():  # a pipe or /dev/fd/N: nothing to rename
            target.write_bytes(content)
            return
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            temporary.write_bytes(content)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
