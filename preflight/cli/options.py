"""The options that commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str | None, typer.Argument(help="Name of the cluster.", show_default=False)]
SomeName = Annotated[str, typer.Argument(help="Name of the cluster.", show_default=False)]
SpecFile = Annotated[
    Path | None,
    typer.Option(
        "-f",
        "--file",
        help="Spec of the cluster, YAML or JSON; ./cluster.yaml if it is there.",
        show_default=False,
    ),
]
Region = Annotated[str | None, typer.Option("--region", help="AWS Region.", show_default=False)]
InstanceTypes = Annotated[
    str | None,
    typer.Option("--instance-types", help="As t2.medium,t2.large.", show_default=False),
]
RoleArn = Annotated[
    str | None,
    typer.Option("--role-arn", help="Work as this role, as the vendor would.", show_default=False),
]
ExternalId = Annotated[
    str | None,
    typer.Option("--external-id", help="Secret of the role's trust policy.", show_default=False),
]
Account = Annotated[
    str | None,
    typer.Option("--account", help="Refuse to work in any other account.", show_default=False),
]
Vendor = Annotated[
    str | None,
    typer.Option("--vendor", help="Vendor profile, a name or a file.", show_default=False),
]
AwsProfile = Annotated[
    str | None,
    typer.Option("--profile", help="Profile of the AWS configuration.", show_default=False),
]
OnSandbox = Annotated[
    bool, typer.Option("--sandbox", help="Run on a fresh embedded AWS instead of the real one.")
]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FORMAT[:PATH]",
        help="text json jsonl html markdown csv junit sarif github; repeatable.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show what passed, too.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings close the gate, too.")]
Waive = Annotated[
    list[str] | None,
    typer.Option(
        "--waive",
        metavar="CHECK=REASON",
        help="Let the gate open in spite of a check; the reason is kept.",
        show_default=False,
    ),
]
NoPlugins = Annotated[bool, typer.Option("--no-plugins", help="Load no third-party checks.")]
Events = Annotated[
    Path | None,
    typer.Option("--events", help="Write progress there as JSON lines.", show_default=False),
]
