"""Every format, read back by a reader of that format, and where reports are written."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from preflight.errors import UsageError
from preflight.finding import LeftoverStatus, Status
from reports.clean import clean
from reports.formats import FORMATS, Options, parse_output, parse_outputs, render, write
from reports.view import Report, from_json

#: C0, C1, bidi marks, halves of pairs: written out again, because `reports.clean` is under test.
RANGES = (range(0x20), range(0x7F, 0xA0), range(0x202A, 0x202F), range(0x2066, 0x206A))
OBEYED = {chr(code) for codes in RANGES for code in codes} | set("\u2028\u2029\ufeff\ufffe\ud800")
OBEYED -= {"\n"}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_renderer(name: str) -> None:
    assert callable(resolve_name(FORMATS[name]))


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_gives_the_same_bytes(name: str, any_report: Report) -> None:
    shuffled = replace(any_report, findings=tuple(reversed(any_report.findings)))
    first, second = render(name, any_report), render(name, shuffled)
    assert first == second
    assert first.endswith("\n")


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_lets_a_control_character_through(name: str, hostile_report: Report) -> None:
    for options in (Options(), Options(width=80, verbose=True)):
        text = render(name, hostile_report, options=options)
        assert not set(text) & OBEYED
        text.encode("utf-8")


def test_json_is_the_report(any_report: Report) -> None:
    assert from_json(json.loads(render("json", any_report))) == any_report


def test_json_keeps_hostile_strings_and_stays_ascii(hostile_report: Report) -> None:
    text = render("json", hostile_report)
    assert text.isascii()
    assert json.loads(text)["cluster"] == hostile_report.cluster


def test_json_lines_are_the_report_and_one_line_for_each_finding(any_report: Report) -> None:
    first, *rest = map(json.loads, render("jsonl", any_report).splitlines())
    assert first.pop("record") == "report"
    assert {line.pop("record") for line in rest} <= {"finding"}
    assert from_json(first | {"findings": rest}) == any_report


def test_csv_has_a_row_for_each_finding(scan_report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(render("csv", scan_report))))
    assert [row["id"] for row in rows] == [finding.id for finding in scan_report.findings]
    assert rows[0]["monthly_usd"] == "32.85"
    assert rows[0]["delete"].startswith("aws ec2 delete-nat-gateway")


def test_csv_has_a_row_for_each_cluster(clusters_report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(render("csv", clusters_report))))
    assert [row["id"] for row in rows] == ["grid-prod", "dev"]


def test_no_csv_cell_is_a_formula(hostile_report: Report) -> None:
    rows = list(csv.reader(io.StringIO(render("csv", hostile_report))))
    assert len(rows) == 4
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@")]


def parse_xml(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own text


def test_junit_counts_what_it_holds(check_report: Report) -> None:
    root = parse_xml(render("junit", check_report))
    cases = root.findall("testsuite/testcase")
    assert len(cases) == int(root.get("tests", "")) == len(check_report.findings)
    assert [case.get("name") for case in cases if case.find("failure") is not None] == [
        "VPCs per Region (us-west-2)"
    ]
    assert root.get("failures") == "1"
    assert root.get("errors") == "1"
    assert root.get("skipped") == "2"


def test_junit_calls_a_blind_rule_an_error(scan_report: Report) -> None:
    root = parse_xml(render("junit", scan_report))
    error = root.find("testsuite[@name='coverage']/testcase/error")
    assert error is not None
    assert "DescribeLoadBalancers" in error.get("message", "")


def test_junit_of_hostile_strings_is_xml(hostile_report: Report) -> None:
    root = parse_xml(render("junit", hostile_report))
    names = [case.get("name", "") for case in root.iter("testcase")]
    assert len(names) == 5
    assert all("<script>alert(1)</script>" in name for name in names)


def test_sarif_results_point_at_their_rules(check_report: Report) -> None:
    log = json.loads(render("sarif", check_report, options=Options(spec_path="infra/demo.yaml")))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        location = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert location["uri"] == "infra/demo.yaml"
    levels = [result["level"] for result in run["results"]]
    assert levels == ["error", "error", "error", "warning"]
    fingerprints = [result["partialFingerprints"]["preflight/1"] for result in run["results"]]
    assert fingerprints == [each.id for each in check_report.findings[:4]]
    assert [result.get("suppressions", [{}])[0].get("justification") for result in run["results"]][
        1
    ] == "kept for the auditors"


def test_sarif_messages_hold_no_links(hostile_report: Report) -> None:
    log = json.loads(render("sarif", hostile_report))
    texts = [result["message"]["text"] for result in log["runs"][0]["results"]]
    assert len(texts) == 3
    assert not [text for text in texts if re.search(r"(?<!\\)\[", text)]


def test_github_lines_are_commands_of_known_levels(hostile_report: Report) -> None:
    lines = render("github", hostile_report).splitlines()
    assert len(lines) == 6
    for line in lines:
        assert re.match(r"::(error|warning|notice) title=[^:,]*::", line)


def test_github_marks_failures_as_errors_and_waived_ones_as_notices(check_report: Report) -> None:
    levels = [line.split()[0] for line in render("github", check_report).splitlines()]
    assert levels == ["::error", "::notice", "::error", "::warning", "::error"]


def markdown_tokens(text: str) -> list[Token]:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return [inner for token in tokens for inner in (token, *(token.children or ()))]


def test_markdown_of_hostile_strings_holds_no_html_no_link_and_no_image(
    hostile_report: Report,
) -> None:
    tokens = markdown_tokens(render("markdown", hostile_report))
    assert not {token.type for token in tokens} & {"link_open", "image", "html_block", "fence"}
    html = {token.content for token in tokens if token.type == "html_inline"}
    assert html == {"<!-- -->"}
    assert not [token for token in tokens if token.type == "text" and "@team" in token.content]


def test_markdown_tables_stay_tables_whatever_is_in_them(hostile_report: Report) -> None:
    tokens = markdown_tokens(render("markdown", hostile_report))
    kinds = [token.type for token in tokens]
    assert kinds.count("table_open") == 5
    assert kinds.count("th_open") == 6 + 4 + 4 + 4 + 2
    assert kinds.count("td_open") == 6 + 4 + 8 + 4 + 2
    codes = [token.content for token in tokens if token.type == "code_inline"]
    assert clean(hostile_report.cluster or "") in codes


def test_markdown_says_what_to_do(check_report: Report) -> None:
    text = render("markdown", check_report)
    assert "`preflight quotas request --service vpc --code L-F678F1CE --value 6`" in text
    assert "the regional endpoint answers" not in text


@pytest.mark.parametrize("name", ["text", "html", "markdown", "junit", "github", "sarif", "csv"])
def test_every_leftover_is_named_with_its_command(name: str, scan_report: Report) -> None:
    text = render(name, scan_report)
    for finding in scan_report.findings:
        if finding.status is LeftoverStatus.LEFTOVER:
            assert finding.subject in text
    assert "aws ec2 delete-volume --volume-id vol-0123456789abcdef0" in text


@pytest.mark.parametrize("name", ["text", "html", "markdown", "junit", "github", "sarif"])
def test_every_format_says_what_could_not_be_looked_at(name: str, scan_report: Report) -> None:
    assert "elasticloadbalancing:DescribeLoadBalancers" in render(name, scan_report)


@pytest.mark.parametrize("name", ["text", "html", "markdown", "junit", "github", "sarif", "csv"])
def test_no_format_hides_an_unknown(name: str, check_report: Report) -> None:
    (unknown,) = (each for each in check_report.findings if each.status is Status.UNKNOWN)
    assert "iam:SimulatePrincipalPolicy is denied" in render(
        name, replace(check_report, findings=(unknown,))
    )


def test_an_output_is_a_format_and_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a:b.html"
    assert parse_output(f"html:{path}").path == path
    assert parse_output("json").path is None
    assert parse_output("json:-").path is None


def test_an_unknown_format_is_answered_with_the_list() -> None:
    with pytest.raises(UsageError, match="no format 'htm'") as caught:
        parse_output("htm:report.html")
    assert caught.value.hint is not None
    assert all(name in caught.value.hint for name in FORMATS)


@pytest.mark.parametrize("target", ["none/report.html", ".", ""])
def test_a_path_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        parse_output(f"html:{target}")


def test_two_outputs_for_one_target_are_refused() -> None:
    with pytest.raises(UsageError, match="two outputs for standard output"):
        parse_outputs(["text", "json"])


def test_no_output_means_text() -> None:
    assert [output.format for output in parse_outputs([])] == ["text"]


def test_several_outputs_are_written_in_one_run(tmp_path: Path, check_report: Report) -> None:
    outputs = parse_outputs(["text", f"json:{tmp_path}/r.json", f"html:{tmp_path}/r.html"])
    stdout = io.StringIO()
    write(check_report, outputs, stdout, options=Options(width=80, color=True))
    assert "\x1b[" in stdout.getvalue()
    assert from_json(json.loads((tmp_path / "r.json").read_text())) == check_report
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "r.json"]


def test_text_in_a_file_has_no_colour(tmp_path: Path, check_report: Report) -> None:
    path = tmp_path / "report.txt"
    options = Options(width=80, color=True)
    write(check_report, parse_outputs([f"text:{path}"]), io.StringIO(), options=options)
    assert path.read_text() == render("text", check_report)


def test_whoever_reads_the_old_file_never_sees_half_of_the_new_one(
    tmp_path: Path, check_report: Report
) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    with path.open() as reader:
        write(check_report, parse_outputs([f"json:{path}"]), io.StringIO())
        assert reader.read() == "old"
    assert from_json(json.loads(path.read_text())) == check_report


def test_a_link_is_followed_and_the_file_behind_it_replaced(
    tmp_path: Path, check_report: Report
) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to(real)
    write(check_report, parse_outputs([f"json:{link}"]), io.StringIO())
    assert link.is_symlink()
    assert from_json(json.loads(real.read_text())) == check_report


def test_a_named_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path, check_report: Report) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write(check_report, parse_outputs([f"json:{pipe}"]), io.StringIO())
    reader.join(10)
    assert from_json(json.loads(read[0])) == check_report
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_full_or_vanished_folder_is_a_usage_error(tmp_path: Path, check_report: Report) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    outputs = parse_outputs([f"json:{folder}/r.json"])
    folder.rmdir()
    with pytest.raises(UsageError, match="cannot write"):
        write(check_report, outputs, io.StringIO())


def test_a_terminal_that_cannot_show_a_sign_gets_its_number(check_report: Report) -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii") as stdout:
        write(check_report, parse_outputs(["text"]), stdout)
        assert b"\\u2717 fail" in raw.getvalue()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "color"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_a_terminal_has_colour_unless_the_user_said_no(
    environ: dict[str, str], color: bool
) -> None:
    options = Options.of(Terminal(), environ)
    assert options.color is color
    assert options.width is not None
    assert not Options.of(Terminal(), environ, color=False).color


def test_a_pipe_has_no_colour_unless_forced() -> None:
    assert Options.of(io.StringIO(), {}) == Options()
    assert Options.of(io.StringIO(), {"FORCE_COLOR": "1"}).color


def test_nothing_heavy_is_loaded_before_a_report_is_drawn() -> None:
    code = (
        "import sys, reports.formats;"
        "print(sorted({'rich', 'jinja2', 'jsonschema', 'xml.etree'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_command_within_a_hint_is_code_in_markdown(check_report: Report) -> None:
    found = replace(
        check_report.findings[0], status=Status.FAIL, hint="`a *b*` or `c`, if *you* like"
    )
    report = replace(check_report, findings=(found,))

    assert "  - `a *b*` or `c`, if \\*you\\* like\n" in render("markdown", report)
