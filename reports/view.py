"""A report as JSON, and back: a saved report can be rendered again, years later, by anybody.

Version 1 is described by `preflight/schema/report.schema.json`. The names that make a report are
re-exported here, so that `reports.view` is the one module a command has to import.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from preflight.errors import SpecError, UsageError
from preflight.finding import Coverage, Finding, LeftoverStatus, Severity, Status
from reports.schema import validate
from reports.sections import (
    Change,
    ClusterRow,
    PlannedDemand,
    PlannedResource,
    PlanSection,
    RoleSection,
    Step,
)
from reports.value import STATUS_ORDER, Kind, Outcome, Report, plain

__all__ = [
    "SCHEMA",
    "STATUS_ORDER",
    "Change",
    "ClusterRow",
    "Kind",
    "Outcome",
    "PlanSection",
    "PlannedDemand",
    "PlannedResource",
    "Report",
    "RoleSection",
    "Step",
    "from_json",
    "read_report",
    "to_json",
]

SCHEMA: Final = "preflight.report/1"
#: Bytes. A scan of a large account writes a few MB; more is not a report.
MAX_SIZE: Final = 64 * 1024 * 1024


def to_json(report: Report) -> dict[str, Any]:
    """Write the report as version 1 JSON, keys and findings always in the same order."""
    record: dict[str, Any] = {"schema": SCHEMA}
    for name in ("kind", "generated_at", "version", "account", "region", "cluster", "verdict"):
        record[name] = plain(getattr(report, name))
    record["complete"] = report.complete
    record["findings"] = [_finding_to_json(finding) for finding in report.findings]
    record["coverage"] = [_record(line) for line in report.coverage]
    record["calls"] = {"total": sum(report.calls.values()), "by_operation": dict(report.calls)}
    record["seconds"] = report.seconds
    if report.plan is not None:
        record["plan"] = _record(report.plan) | {
            "resources": [_record(resource) for resource in report.plan.resources],
            "demands": [_record(demand) for demand in report.plan.demands],
        }
    for name in ("clusters", "steps"):
        rows = getattr(report, name)
        if rows is not None:
            record[name] = [_record(row) for row in rows]
    if report.role is not None:
        record["role"] = _record(report.role)
    if report.policy is not None:
        record["policy"] = plain(report.policy)
    return record


def _finding_to_json(finding: Finding) -> dict[str, Any]:
    names = ("check", "status", "severity", "subject", "message", "hint", "url", "waived", "data")
    return {"id": finding.id} | {name: plain(getattr(finding, name)) for name in names}


def _record(value: Any) -> dict[str, Any]:
    return {each.name: plain(getattr(value, each.name)) for each in fields(value)}


def from_json(record: Any, *, where: str | None = None) -> Report:
    """Read a saved report; `where` names the file in the message of a SpecError."""
    version = record.get("schema") if isinstance(record, Mapping) else None
    if version != SCHEMA:
        said = f"says {version!r}" if version else "has no schema"
        raise SpecError(
            f"not a report of version 1: it {said}, this program reads {SCHEMA!r}",
            where=where,
            hint="write one with `-o json:FILE`",
        )
    validate(record, where=where)
    try:
        return _report(record)
    except (ValueError, OverflowError) as error:  # a date that has the form of one but is none
        raise SpecError(str(error), where=where) from error


def _report(record: Mapping[str, Any]) -> Report:
    return Report(
        kind=Kind(record["kind"]),
        generated_at=_moment(record["generated_at"]),
        version=record["version"],
        verdict=Outcome(record["verdict"]),
        complete=record["complete"],
        account=record["account"],
        region=record["region"],
        cluster=record["cluster"],
        findings=tuple(_finding(each) for each in record["findings"]),
        coverage=tuple(
            Coverage(**{**each, "status": Status(each["status"])}) for each in record["coverage"]
        ),
        calls=record["calls"]["by_operation"],
        seconds=record["seconds"],
        plan=_plan(record["plan"]) if "plan" in record else None,
        clusters=tuple(map(_cluster, record["clusters"])) if "clusters" in record else None,
        steps=tuple(Step(**each) for each in record["steps"]) if "steps" in record else None,
        role=RoleSection(**record["role"]) if "role" in record else None,
        policy=record.get("policy"),
    )


def read_report(path: Path) -> Report:
    """Read a report that `-o json:PATH` wrote; raise UsageError or SpecError if it is not one."""
    try:
        if path.stat().st_size > MAX_SIZE:
            raise SpecError(f"larger than {MAX_SIZE} bytes", where=str(path))
        record = json.loads(path.read_text("utf-8"), parse_constant=_no_number)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SpecError(f"not JSON: {error}", where=str(path)) from error
    return from_json(record, where=str(path))


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number in JSON")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _finding(record: Mapping[str, Any]) -> Finding:
    words = {key: value for key, value in record.items() if key != "id"}
    word = record["status"]
    words["status"] = Status(word) if word in set(Status) else LeftoverStatus(word)
    words["severity"] = Severity(record["severity"])
    return Finding(**words)


def _cluster(record: Mapping[str, Any]) -> ClusterRow:
    created = record.get("created")
    return ClusterRow(**{**record, "created": _moment(created) if created else None})


def _plan(record: Mapping[str, Any]) -> PlanSection:
    resources = tuple(
        PlannedResource(
            **{
                **each,
                "change": Change(each["change"]),
                "depends_on": tuple(each.get("depends_on", ())),
            }
        )
        for each in record["resources"]
    )
    demands = tuple(PlannedDemand(**each) for each in record.get("demands", ()))
    return PlanSection(
        resources=resources,
        actions=tuple(record.get("actions", ())),
        demands=demands,
        monthly_usd=record.get("monthly_usd"),
        usd_as_of=record.get("usd_as_of"),
        unpriced=tuple(record.get("unpriced", ())),
    )
