"""Make text from AWS harmless: anybody who can set a tag can write into our reports.

Terminals obey escape sequences, rich obeys `[markup]`, spreadsheets obey `=formulas`, XML
readers refuse control characters, GitHub obeys `::commands`. Every format that is not JSON
(which escapes by itself) passes every string through one of these functions.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Final

#: C0 (without tab, newline, return), DEL and C1; marks that reorder or hide text (bidi controls,
#: line and paragraph separators, byte order mark, tag characters); halves of surrogate pairs and
#: noncharacters, which neither UTF-8 nor XML can carry.
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"
)
_BLANKS: Final = re.compile(r"[\t\r\n]+")
#: Excel and LibreOffice read a cell that begins so as a formula, the wide forms too.
#: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA: Final = re.compile(r"[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001 - the wide forms are meant
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>|#!~&$])")


def clean_lines(text: str) -> str:
    """Drop what a terminal, a browser or an XML reader would obey; keep tabs and newlines."""
    return _UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean(text: str) -> str:
    """Make one harmless line out of any string."""
    return _BLANKS.sub(" ", clean_lines(text))


def command_line(argv: Sequence[str]) -> str:
    """Quote a command for bash so that it names exactly the thing meant, and prints harmlessly.

    Dropping characters here would name another thing: they are written as `$'\\x1b'` instead.
    """
    return " ".join(_quote(word) for word in argv)


def _quote(word: str) -> str:
    if not (_UNSAFE.search(word) or _BLANKS.search(word)):
        return shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + re.sub(f"{_UNSAFE.pattern}|[\t\r\n]", _escape, escaped) + "'"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x80 else f"\\U{code:08x}"


def csv_cell(text: str) -> str:
    """Keep a spreadsheet from running a cell: a formula gets a leading apostrophe."""
    line = clean(text)
    return f"'{line}" if _FORMULA.match(text.lstrip(" ")) or _FORMULA.match(line) else line


def markdown(text: str) -> str:
    """Show the text as it is inside a Markdown paragraph or table cell; mention nobody."""
    return _MARKDOWN.sub(r"\\\1", clean(text)).replace("@", "@<!-- -->")


def markdown_code(text: str, *, cell: bool = False) -> str:
    """Show the text as a code span, its fence longer than any inside; `cell`: inside a table."""
    line = clean(text).replace("|", "\\|") if cell else clean(text)
    if not line:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def github_message(text: str) -> str:
    """Escape the message of a GitHub workflow command, newlines included.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    return clean_lines(text).replace("%", "%25").replace("\n", "%0A")


def github_property(text: str) -> str:
    """Escape a property (`title=`, `file=`) of a GitHub workflow command."""
    return github_message(clean(text)).replace(":", "%3A").replace(",", "%2C")


def safe_url(url: str | None) -> str | None:
    """Return the address only if it is one a browser may be sent to (http or https)."""
    if url is None or not re.match(r"https?://[^\s\"'<>\\]+\Z", url) or _UNSAFE.search(url):
        return None
    return url
