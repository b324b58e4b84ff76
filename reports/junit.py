"""The report for CI servers that show tests: a suite for each check, a case for each finding.

A failure is a test that failed, an unknown is a test that broke, a warning is a test that passed
and said something. The dialect is the one of Jenkins' xunit plugin:
https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from preflight.finding import Coverage, Finding
from reports.clean import clean, clean_lines
from reports.headline import headline
from reports.options import Options
from reports.view import Report, Step
from reports.words import TROUBLE, blind, commands, is_waived, needs

_OUTCOMES = {
    "fail": "failure",
    "leftover": "failure",
    "unknown": "error",
    "skip": "skipped",
    "possible": "skipped",
    "wait": "skipped",
    "ghost": "skipped",
    "keep": "skipped",
}
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render(report: Report, *, options: Options) -> str:  # noqa: ARG001 - one shape for all
    """Write JUnit XML; `name` of the whole is the verdict."""
    root = ET.Element("testsuites", name=clean(f"preflight {report.kind}: {headline(report)}"))
    suites: dict[str, list[ET.Element]] = {}
    for step in report.steps or ():
        suites.setdefault("steps", []).append(_step(step))
    for finding in report.findings:
        suites.setdefault(clean(finding.check), []).append(_case(finding))
    for line in blind(report.coverage):
        suites.setdefault("coverage", []).append(_unseen(line))
    for name, cases in suites.items():
        suite = ET.SubElement(root, "testsuite", {"name": name, **_counts(cases)})
        suite.set("timestamp", report.generated_at.strftime("%Y-%m-%dT%H:%M:%S"))
        suite.extend(cases)
    for key, count in _counts([case for cases in suites.values() for case in cases]).items():
        root.set(key, count)
    root.set("time", f"{report.seconds:.3f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _counts(cases: list[ET.Element]) -> dict[str, str]:
    counts = {"tests": str(len(cases))}
    for key, tag in _COUNTED.items():
        counts[key] = str(sum(case.find(tag) is not None for case in cases))
    return counts


def _case(finding: Finding) -> ET.Element:
    case = ET.Element(
        "testcase", classname=clean(finding.check), name=clean(finding.subject), time="0"
    )
    outcome = "skipped" if is_waived(finding) else _OUTCOMES.get(finding.status.value)
    message = clean(finding.message)
    if finding.waived is not None:
        message += clean(f" (waived: {finding.waived})")
    details = "\n".join(filter(None, [finding.hint, *commands(finding), finding.url]))
    if outcome:
        inner = ET.SubElement(case, outcome, message=message)
        if outcome != "skipped":
            inner.set("type", finding.status.value)
            inner.text = clean_lines(details) or None
    elif finding.status.value == "warn":
        ET.SubElement(case, "system-out").text = clean_lines(f"warning: {message}\n{details}")
    return case


def _step(step: Step) -> ET.Element:
    seconds = f"{step.seconds or 0:.3f}"
    case = ET.Element("testcase", classname="steps", name=clean(step.address), time=seconds)
    if step.state in TROUBLE:
        tag = "failure" if step.state == "failed" else "skipped"
        inner = ET.SubElement(case, tag, message=clean(step.error or step.state))
        if tag == "failure" and step.hint:
            inner.text = clean_lines(step.hint)
    return case


def _unseen(line: Coverage) -> ET.Element:
    case = ET.Element("testcase", classname="coverage", name=clean(line.rule), time="0")
    ET.SubElement(case, "error", message=needs(line), type="unknown")
    return case
