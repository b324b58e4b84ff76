"""`preflight check`: run the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from preflight.cli import options as o
from preflight.cli.asked import Asked, Ready, environment, prepare

if TYPE_CHECKING:
    from preflight.gate import Verdict
    from reports.view import Report


def check(
    name: o.Name = None,
    file: o.SpecFile = None,
    region: o.Region = None,
    instance_types: o.InstanceTypes = None,
    role_arn: o.RoleArn = None,
    external_id: o.ExternalId = None,
    account: o.Account = None,
    vendor: o.Vendor = None,
    profile: o.AwsProfile = None,
    sandbox: o.OnSandbox = False,
    strict: o.Strict = False,
    waive: o.Waive = None,
    no_plugins: o.NoPlugins = False,
    output: o.Outputs = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Ask whether the account is ready; nothing is changed."""
    asked = Asked.of(locals())
    run(asked)


def run(asked: Asked) -> None:
    """Run the gate and show what it says."""
    from preflight.cli.show import outputs, show

    outputs(asked)
    with environment(asked):
        ready = prepare(asked)
        verdict = weigh(ready)
        show(report_of(verdict, ready), asked)


def weigh(ready: Ready) -> Verdict:
    """Ask every check about a plan."""
    from checks.builtin import CHECKS
    from preflight import gate, plugins

    checks = [*CHECKS]
    if ready.asked.plugins and ready.spec.plugins:
        checks += plugins.checks(ready.spec.plugins, known=[check.id for check in checks])
    return gate.run(
        checks,
        ready.context,
        waivers=ready.asked.waivers(ready.spec),
        strict=ready.asked.strict,
    )


def report_of(verdict: Verdict, ready: Ready) -> Report:
    """Write the verdict as a report."""
    from preflight.cli.assemble import gate_outcome, report
    from reports.view import Kind

    return report(
        Kind.CHECK,
        gate_outcome(verdict),
        asked=ready.asked,
        calls=ready.calls,
        complete=verdict.complete,
        account=ready.context.facts.account,
        region=ready.spec.region,
        cluster=ready.spec.name,
        findings=verdict.findings,
        coverage=verdict.coverage,
    )
