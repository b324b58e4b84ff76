"""Strings that somebody wrote into a tag to reach the reader of a report."""

from __future__ import annotations

import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.clean import (
    clean,
    clean_lines,
    command_line,
    csv_cell,
    github_message,
    github_property,
    markdown_code,
    safe_url,
)

BIDI = {"LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_what_is_clean_is_one_line_without_controls_or_bidi_marks(text: str) -> None:
    line = clean(text)
    assert not {unicodedata.category(sign) for sign in line} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(sign) for sign in line} & BIDI
    line.encode("utf-8")


def test_every_sign_that_is_obeyed_or_hides_is_dropped() -> None:
    everything = "".join(map(chr, range(0x110000)))
    kept = set(clean_lines(everything))
    controls = {sign for sign in everything if unicodedata.category(sign) in {"Cc", "Cs"}}
    bidi = {sign for sign in everything if unicodedata.bidirectional(sign) in BIDI}
    assert kept & controls == {"\t", "\n"}
    assert not kept & bidi
    assert not kept & set("\u061c\u200e\u200f\u2028\u2029\ufeff\ufffe\uffff\U000e0041")
    letters = {sign for sign in everything if unicodedata.category(sign)[0] in "LNPSM"}
    assert letters <= kept


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_lines(clean_lines(text)) == clean_lines(text)


def test_ordinary_text_of_any_script_stays_as_it_is() -> None:
    text = "Größe 東京 наш кластер שלום é 👍 arn:aws:iam::1:role/a-b_c"
    assert clean(text) == text


@pytest.mark.parametrize(
    "word", ["vol-1", "a b", "it's", "x\x1b[2J", "a\nb", "\u202eb", "$(id)", "\\"]
)
def test_a_quoted_command_gives_bash_the_very_same_words(word: str) -> None:
    line = command_line(["printf", "%s", word])
    assert clean(line) == line
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert done.stdout.decode() == word


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\x1b=1", "\uff1d1", " =1"])
def test_a_formula_is_disarmed(text: str) -> None:
    assert csv_cell(text).startswith("'")


@pytest.mark.parametrize("text", ["vol-1", "a=b", "10.0.0.0/16"])
def test_what_is_no_formula_keeps_its_first_sign(text: str) -> None:
    assert csv_cell(text) == text


def test_a_newline_in_a_github_message_starts_no_new_command() -> None:
    assert github_message("a\r\n::error::b%0A") == "a%0A::error::b%250A"
    assert github_property("a:b,c\nd") == "a%3Ab%2Cc d"


@pytest.mark.parametrize("text", ["a", "`", "a``b", "`x`"])
def test_a_code_span_cannot_be_left_from_inside(text: str) -> None:
    span = markdown_code(text)
    fence = span[: len(span) - len(span.lstrip("`"))]
    assert span.endswith(fence)
    assert fence not in span[len(fence) : -len(fence)]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "http://a\x00b", 'https://a"b', "//x", None]
)
def test_only_web_addresses_become_links(url: str | None) -> None:
    assert safe_url(url) is None


def test_a_web_address_stays_as_it_is() -> None:
    assert safe_url("https://docs.aws.amazon.com/a?b=c#d") == "https://docs.aws.amazon.com/a?b=c#d"
