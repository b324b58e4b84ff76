"""The report as one web page: it can be mailed, kept, printed, and needs no network.

Nothing is loaded from anywhere: a Content-Security-Policy forbids it, and allows only the style
and the script whose hashes it names. Without JavaScript everything can be read; the script adds
a filter and copy buttons.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from reports import words
from reports.clean import clean, safe_url
from reports.graph import by_service, tree
from reports.headline import headline
from reports.html_numbers import bars, cards, quota_rows
from reports.html_parts import parts
from reports.options import Options
from reports.text_plan import changes, cost
from reports.view import Outcome, Report

_GOOD = frozenset({Outcome.OPEN, Outcome.DONE, Outcome.BUILT, Outcome.DELETED, Outcome.CLEAN})


def render(report: Report, *, options: Options) -> str:  # noqa: ARG001 - one shape for all
    """Write one self-contained page, the same bytes for the same report."""
    style, script = _asset("report.css"), _asset("report.js")
    verdict, _, rest = headline(report).partition("; ")
    return _template().render(
        report=report,
        headline=headline(report),
        verdict=verdict,
        rest=rest,
        tone=_tone(report),
        sign="✓" if report.verdict in _GOOD else "?" if _tone(report) == "unknown" else "✗",
        when=report.generated_at.strftime("%Y-%m-%d %H:%M UTC"),
        cards=cards(report),
        bars=bars(report),
        parts=parts(report),
        quotas=quota_rows(report),
        blind=words.blind(report.coverage),
        style=style,
        script=script,
        policy=_policy(style, script),
    )


def _tone(report: Report) -> str:
    if report.verdict in _GOOD:
        return "good"
    return "unknown" if report.verdict is Outcome.INCOMPLETE else "bad"


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    # The policy allows exactly these bytes: no blank may be added when the page is tidied.
    text = files("reports").joinpath(name).read_text("utf-8")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=_finalize,
    )
    environment.filters.update(
        usd=words.usd, plural=words.plural, number=words.number, duration=words.duration
    )
    environment.globals.update(
        SIGNS=words.SIGNS,
        TROUBLE=words.TROUBLE,
        ago=words.ago,
        by_service=by_service,
        changes=changes,
        cost=cost,
        safe_url=safe_url,
        tree=tree,
    )
    return environment.from_string(files("reports").joinpath("report.html.j2").read_text("utf-8"))


def _finalize(value: Any) -> Any:
    """Clean every string on its way into the page; what is markup already stays as it is."""
    return clean(value) if type(value) is str else value
