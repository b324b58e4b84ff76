"""The one value: written, checked against its schema, and read again as it was."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from preflight.errors import SpecError, UsageError
from preflight.finding import Finding, LeftoverStatus, Severity, Status
from reports.schema import schema
from reports.value import STATUS_ORDER, Kind, Outcome, Report
from reports.view import from_json, read_report, to_json


def test_the_schema_is_itself_valid() -> None:
    Draft202012Validator.check_schema(schema())


def test_every_kind_of_report_meets_the_schema(any_report: Report) -> None:
    validator = Draft202012Validator(schema(), format_checker=FormatChecker())
    assert list(validator.iter_errors(to_json(any_report))) == []


def test_the_schema_and_the_code_have_the_same_words() -> None:
    properties = schema()["properties"]
    assert properties["kind"]["enum"] == [kind.value for kind in Kind]
    assert sorted(properties["verdict"]["enum"]) == sorted(word.value for word in Outcome)
    finding = schema()["$defs"]["finding"]["properties"]
    assert set(finding["status"]["enum"]) == {*Status, *LeftoverStatus}
    assert set(finding["severity"]["enum"]) == {*Severity}


def test_every_status_has_a_place_in_the_order() -> None:
    assert set(STATUS_ORDER) == {*Status, *LeftoverStatus}


def test_a_report_that_was_written_is_read_as_it_was(any_report: Report) -> None:
    assert from_json(json.loads(json.dumps(to_json(any_report)))) == any_report


def test_findings_are_sorted_worst_first_whatever_order_they_came_in(check_report: Report) -> None:
    findings = list(check_report.findings)
    random.shuffle(findings)
    shuffled = replace(check_report, findings=tuple(findings))
    assert json.dumps(to_json(shuffled)) == json.dumps(to_json(check_report))
    statuses = [finding["status"] for finding in to_json(shuffled)["findings"]]
    assert statuses == ["fail", "fail", "unknown", "warn", "skip", "pass", "pass"]


def test_a_severe_finding_comes_before_a_mild_one_of_the_same_status(check_report: Report) -> None:
    failed = [each.severity for each in check_report.findings if each.status is Status.FAIL]
    assert failed == [Severity.HIGH, Severity.MEDIUM]


@pytest.mark.parametrize("version", ["preflight.report/2", "", 1, None])
def test_another_version_is_refused(check_report: Report, version: object) -> None:
    with pytest.raises(SpecError, match="not a report of version 1"):
        from_json(to_json(check_report) | {"schema": version})


@pytest.mark.parametrize("record", [[], "x", None, {}])
def test_what_is_no_report_is_refused(record: object) -> None:
    with pytest.raises(SpecError, match="not a report of version 1"):
        from_json(record)


def test_a_wrong_value_is_named_by_its_path(check_report: Report) -> None:
    record = to_json(check_report)
    record["findings"][2]["status"] = "Failed"
    with pytest.raises(SpecError, match=r"findings\.2\.status") as caught:
        from_json(record, where="old.json")
    assert str(caught.value).startswith("old.json")


def test_an_unknown_key_is_refused(check_report: Report) -> None:
    with pytest.raises(SpecError, match="surprise"):
        from_json(to_json(check_report) | {"surprise": 1})


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_file_that_is_not_json_is_a_spec_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(SpecError, match="not JSON"):
        read_report(path)


def test_a_date_that_is_none_is_a_spec_error(check_report: Report) -> None:
    with pytest.raises(SpecError, match="month"):
        from_json(to_json(check_report) | {"generated_at": "2026-13-05T12:00:00Z"})


@pytest.mark.parametrize("text", ["1e999", "Infinity", "NaN", "-1", "1" * 400])
def test_a_number_out_of_all_reason_is_refused(
    tmp_path: Path, check_report: Report, text: str
) -> None:
    path = tmp_path / "report.json"
    path.write_text(
        json.dumps(to_json(check_report) | {"seconds": 0}).replace(
            '"seconds": 0', f'"seconds": {text}'
        )
    )
    with pytest.raises(SpecError):
        read_report(path)


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_report(tmp_path / "none.json")


def test_a_saved_report_is_read_from_its_file(tmp_path: Path, scan_report: Report) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(to_json(scan_report)))
    assert read_report(path) == scan_report


def test_an_infinite_number_never_reaches_json(check_report: Report) -> None:
    odd = Finding(
        check="x", status=Status.PASS, subject="x", message="x", data={"limit": float("inf")}
    )
    record = to_json(replace(check_report, findings=(odd,)))
    assert json.loads(json.dumps(record, allow_nan=False))["findings"][0]["data"]["limit"] is None


@pytest.mark.parametrize(
    ("word", "code"),
    [
        (Outcome.OPEN, 0),
        (Outcome.CLOSED, 3),
        (Outcome.INCOMPLETE, 4),
        (Outcome.LEFTOVERS, 5),
        (Outcome.PARTIAL, 6),
        (Outcome.REFUSED, 7),
        (Outcome.INTERRUPTED, 130),
    ],
)
def test_a_verdict_knows_its_exit_code(word: Outcome, code: int) -> None:
    assert word.exit_code == code
