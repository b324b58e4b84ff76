"""The gate: asks every check, weighs the answers, and hands out the permit to build.

FAIL and UNKNOWN close it. A check that raises is an UNKNOWN finding under its own id. There is no
`if` to forget: the executor takes a `Permit`, and a `Permit` cannot be made without an open verdict
for that very plan.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from preflight.check import Answer, Check, Context
from preflight.errors import AccessDenied, GateClosed, PreflightError, UsageError
from preflight.finding import Coverage, Finding, Severity, Status
from preflight.plan import Plan

#: How much an answer matters when the check does not say.
SEVERITY: Mapping[Status, Severity] = {
    Status.PASS: Severity.INFO,
    Status.SKIP: Severity.INFO,
    Status.WARN: Severity.LOW,
    Status.UNKNOWN: Severity.MEDIUM,
    Status.FAIL: Severity.HIGH,
}
CLOSING = frozenset({Status.FAIL, Status.UNKNOWN})
_SWITCH_OFF = "mend or remove the plugin, or run with --no-plugins"


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """Lets the gate open in spite of one check; the reason is written into the journal."""

    check: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What all checks together say about one plan."""

    plan: str
    findings: tuple[Finding, ...]
    coverage: tuple[Coverage, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @property
    def closing(self) -> tuple[Finding, ...]:
        """The findings that keep the gate closed."""
        return tuple(f for f in self.findings if f.status in CLOSING and f.waived is None)

    @property
    def is_open(self) -> bool:
        """Whether the plan may be built."""
        return not self.closing

    @property
    def failed(self) -> bool:
        """Whether anything is known to be wrong, as opposed to not known."""
        return any(finding.status is Status.FAIL for finding in self.closing)

    @property
    def complete(self) -> bool:
        """Whether every check could look."""
        return not any(finding.status is Status.UNKNOWN for finding in self.findings)

    def permit(self, plan: Plan) -> Permit:
        """Allow this very plan to be built; raises `GateClosed` when the gate is closed."""
        return Permit(verdict=self, plan=plan)


@dataclass(frozen=True, kw_only=True)
class Permit:
    """The right to build one plan. It cannot exist without an open verdict for that plan."""

    verdict: Verdict
    plan: Plan

    def __post_init__(self) -> None:
        if self.verdict.plan != self.plan.digest:
            raise GateClosed(
                "this verdict was given for another plan", "run `preflight check` again"
            )
        if not self.verdict.is_open:
            count = len(self.verdict.closing)
            raise GateClosed(
                f"{count} finding{'s keep' if count > 1 else ' keeps'} the gate closed",
                "mend what the findings name, or waive one with --waive CHECK=REASON",
            )


def run(
    checks: Sequence[Check],
    context: Context,
    *,
    waivers: Iterable[Waiver] = (),
    strict: bool = False,
) -> Verdict:
    """Ask all checks side by side and give the verdict, findings in the order of the checks.

    With `strict` a WARN counts as FAIL. Raises `UsageError` for a waiver of no known check.
    """
    if not context.checks:
        context = replace(context, checks=tuple(checks))
    waivers = tuple(waivers)
    known = {check.id for check in checks}
    for waiver in waivers:
        if waiver.check not in known:
            raise UsageError(
                f"no check is called {waiver.check!r}", "`preflight checks` lists them"
            )
    asking = [_Asking(check, context) for check in checks]
    answered = [one.result() for one in asking]
    findings = [f for found, _ in answered for f in found]
    if strict:
        findings = [_hardened(finding) for finding in findings]
    return Verdict(
        plan=context.plan.digest,
        findings=tuple(_waived(finding, waivers) for finding in findings),
        coverage=tuple(c for _, covered in answered for c in covered),
        waivers=waivers,
    )


class _Asking:
    """A check being asked in a thread of its own, which nobody waits for beyond its limit."""

    def __init__(self, check: Check, context: Context) -> None:
        self._check = check
        self._answered: tuple[list[Finding], list[Coverage]] | None = None
        self._began = time.monotonic()
        # A daemon, so that one that never answers does not keep the process from ending.
        self._thread = threading.Thread(target=self._ask, args=(context,), daemon=True)
        self._thread.start()

    def _ask(self, context: Context) -> None:
        self._answered = _ask(self._check, context)

    def result(self) -> tuple[list[Finding], list[Coverage]]:
        """Wait for the answers; UNKNOWN where there are none in time."""
        limit = self._check.limit
        left = None if limit is None else max(0.0, self._began + limit - time.monotonic())
        self._thread.join(left)
        if self._answered is not None:
            return self._answered
        message = f"the check gave no answer within {limit:g} s"
        finding = _could_not_look(self._check, message, _SWITCH_OFF, None)
        return [finding], [_covered(self._check, [finding], None)]


def _ask(check: Check, context: Context) -> tuple[list[Finding], list[Coverage]]:
    findings: list[Finding] = []
    coverage: list[Coverage] = []
    missing: str | None = None
    try:
        for answer in check.ask(context):
            if isinstance(answer, Coverage):
                coverage.append(answer)
            else:
                findings.append(_signed(check, answer))
    except AccessDenied as error:
        missing = error.action
        findings.append(_could_not_look(check, str(error), f"allow {error.action}", missing))
    except PreflightError as error:
        findings.append(_could_not_look(check, str(error), error.hint, None))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a broken check neither passes nor ends the run
        what = f"the check broke: {type(error).__name__}: {error}"
        findings.append(_could_not_look(check, what, "report this; `-v` shows where", None))
    if not findings:
        findings.append(_could_not_look(check, "the check gave no answer", None, None))
    if not coverage:
        coverage.append(_covered(check, findings, missing))
    return findings, coverage


def _covered(check: Check, findings: Sequence[Finding], missing_action: str | None) -> Coverage:
    unknown = any(f.status is Status.UNKNOWN for f in findings)
    return Coverage(
        rule=check.id,
        examined=len(findings),
        matched=sum(f.status not in {Status.PASS, Status.SKIP} for f in findings),
        status=Status.UNKNOWN if unknown else Status.PASS,
        missing_action=missing_action,
    )


def _signed(check: Check, answer: Answer) -> Finding:
    """Make a finding of an answer; raises TypeError or ValueError for what is none."""
    if not isinstance(answer, Answer):
        raise TypeError(f"it gave a {type(answer).__name__}, not an Answer")
    texts = {"subject": answer.subject, "message": answer.message, "hint": answer.hint or ""}
    if wrong := [name for name, text in texts.items() if not isinstance(text, str)]:
        raise TypeError(f"the {wrong[0]} of its answer is no text")
    json.dumps(dict(answer.data), default=str)
    return Finding(
        check=check.id,
        status=Status(answer.status),
        subject=answer.subject,
        message=answer.message,
        hint=answer.hint,
        severity=answer.severity or SEVERITY[answer.status],
        url=answer.url or check.url,
        data=answer.data,
    )


def _could_not_look(
    check: Check, message: str, hint: str | None, missing_action: str | None
) -> Finding:
    return Finding(
        check=check.id,
        status=Status.UNKNOWN,
        subject=check.id,
        message=message,
        hint=hint,
        severity=SEVERITY[Status.UNKNOWN],
        url=check.url,
        data={"missing_action": missing_action} if missing_action else {},
    )


def _hardened(finding: Finding) -> Finding:
    if finding.status is not Status.WARN:
        return finding
    return replace(finding, status=Status.FAIL, severity=Severity.HIGH)


def _waived(finding: Finding, waivers: tuple[Waiver, ...]) -> Finding:
    for waiver in waivers:
        if waiver.check == finding.check and finding.status in CLOSING:
            return replace(finding, waived=waiver.reason)
    return finding
