"""`preflight plan`: what would be made, what it takes and what it costs."""

from __future__ import annotations

from preflight.cli import options as o
from preflight.cli.asked import Asked, environment, prepare


def plan(
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
    output: o.Outputs = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Show what would be made: resources, changes, quota demand, permissions, price."""
    run(Asked.of(locals()))


def run(asked: Asked) -> None:
    """Draw the plan, look for what is there already, and show both."""
    from preflight.cli.assemble import plan_section, report
    from preflight.cli.show import outputs, show
    from provision.existing import look
    from reports.view import Kind, Outcome

    outputs(asked)
    with environment(asked):
        ready = prepare(asked)
        drawn = ready.context.plan
        existing = look(ready.aws, drawn.owner, drawn.kinds)
        show(
            report(
                Kind.PLAN,
                Outcome.INCOMPLETE if ready.context.facts.gaps else Outcome.DONE,
                asked=asked,
                calls=ready.calls,
                complete=not ready.context.facts.gaps,
                account=ready.context.facts.account,
                region=ready.spec.region,
                cluster=ready.spec.name,
                plan=plan_section(drawn, existing.by_address),
            ),
            asked,
        )
