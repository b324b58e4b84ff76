"""The report for code scanning: SARIF 2.1.0, one result for each finding to act on.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from preflight.finding import Finding
from reports.clean import clean, safe_url
from reports.headline import headline
from reports.options import Options
from reports.view import Report
from reports.words import blind, commands, is_waived, needs

#: GitHub rejects a file with more results in one run; findings come worst first.
MAX_RESULTS: Final = 25_000
_LEVELS = {
    "fail": "error",
    "leftover": "error",
    "unknown": "error",
    "warn": "warning",
    "possible": "warning",
    "wait": "note",
}


def render(report: Report, *, options: Options) -> str:
    """Write one run; every result points at the spec file, because an account has no lines."""
    acted = [finding for finding in report.findings if finding.status.value in _LEVELS]
    rules = _rules(acted)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    driver = {"name": "preflight", "version": clean(report.version), "rules": rules}
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"preflight/{report.kind}/"},
        "invocations": [_invocation(report, left_out=len(acted) - MAX_RESULTS)],
        "results": [_result(each, index, options) for each in acted[:MAX_RESULTS]],
        "properties": {"verdict": report.verdict.value, "complete": report.complete},
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2, allow_nan=False) + "\n"


def _invocation(report: Report, *, left_out: int) -> dict[str, Any]:
    notes = [{"level": "note", "message": {"text": _text(headline(report))}}]
    for line in blind(report.coverage):
        text = f"{line.rule}: {needs(line)}"
        notes.append({"level": "error", "message": {"text": _text(text)}})
    if left_out > 0:
        text = f"{left_out} more findings are in the JSON report"
        notes.append({"level": "warning", "message": {"text": text}})
    return {
        "executionSuccessful": report.complete,
        "endTimeUtc": report.generated_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "toolExecutionNotifications": notes,
    }


def _rules(findings: list[Finding]) -> list[dict[str, Any]]:
    rules: dict[str, dict[str, Any]] = {}
    for finding in findings:
        name = clean(finding.check)
        rule = rules.setdefault(name, {"id": name, "shortDescription": {"text": _text(name)}})
        url = safe_url(finding.url)
        if url:
            rule.setdefault("helpUri", url)
    return list(rules.values())


def _result(finding: Finding, index: dict[str, int], options: Options) -> dict[str, Any]:
    words = [f"{finding.subject}: {finding.message}", finding.hint, *commands(finding)]
    name = str(finding.data.get("arn") or finding.subject)
    artifact = {"uri": options.spec_path or "cluster.yaml", "uriBaseId": "%SRCROOT%"}
    result: dict[str, Any] = {
        "ruleId": clean(finding.check),
        "ruleIndex": index[clean(finding.check)],
        "level": _LEVELS[finding.status.value],
        "message": {"text": "\n".join(_text(word) for word in words if word)},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": clean(name), "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"preflight/1": finding.id},
        "properties": {"status": finding.status.value, "severity": finding.severity.value},
    }
    if is_waived(finding):
        reason = clean(finding.waived or "")
        result["suppressions"] = [{"kind": "external", "justification": reason}]
    return result


def _text(text: str) -> str:
    """Keep a message from being read as one with embedded links, `[words](address)`."""
    return re.sub(r"([\\\[\]])", r"\\\1", clean(text))
