"""`preflight demo`: one cluster the whole way on the embedded AWS, every word of it computed."""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from preflight.cli.embedded import embedded

if TYPE_CHECKING:
    from preflight.sandbox.server import Sandbox

REGION = "us-west-2"
KEY = ("AKIAALICE00000000DEMO", "alice-has-no-secrets-from-the-demonstration")
REPORT = Path("demo-report.html")
ROLE = "grid-cloud-demo"
#: Virtual seconds in a real one: a cluster takes ten minutes in AWS and ten seconds here.
TIME_SCALE = 60.0
SHORTEST_POLL = 0.2


def demo(
    report: Annotated[Path, typer.Option(help="Where the HTML report goes.")] = REPORT,
    short: Annotated[
        bool, typer.Option("--short", help="A smaller cluster on a faster clock.")
    ] = False,
) -> None:
    """Tell the whole story on the embedded AWS in about a minute; no AWS account is needed."""
    time_scale = TIME_SCALE * (4 if short else 1)
    with (
        tempfile.TemporaryDirectory(prefix="preflight-demo-") as folder,
        embedded(
            files("preflight.sandbox.account") / "demo.yaml",
            time_scale=time_scale,
        ) as sandbox,
        _surroundings(sandbox, Path(folder)),
    ):
        Story(sandbox, Path(folder), report, time_scale, short=short).tell()


@contextmanager
def _surroundings(sandbox: Sandbox, folder: Path) -> Iterator[None]:
    """Be alice, with a state folder that goes when the story ends."""
    before = dict(os.environ)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(sandbox.environment())
    os.environ.update(
        AWS_ACCESS_KEY_ID=KEY[0],
        AWS_SECRET_ACCESS_KEY=KEY[1],
        AWS_REGION=REGION,
        XDG_STATE_HOME=str(folder),
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Story:
    """The story of the vendor's document, told with the real commands."""

    def __init__(
        self, sandbox: Sandbox, folder: Path, report: Path, time_scale: float, *, short: bool
    ) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._report = report
        self._time_scale = time_scale
        self._spec = folder / "cluster.yaml"
        self._short = short

    def tell(self) -> None:
        """Tell it; raises `typer.Exit` with 1 where it does not go as it should."""
        self._closed()
        self._mend()
        before = self._account()
        role = self._role()
        self._open(role)
        self._build(role)
        self._leave()
        self._take_down(role)
        self._end(before)

    def _closed(self) -> None:
        self._chapter("1", "A new cluster, in an account that is not ready")
        self._write("team_a")
        self._run("check", "-f", str(self._spec), expect=3)

    def _mend(self) -> None:
        self._chapter("2", "Each finding said what to do. It is done")
        admin = self._admin()
        self._note("the name: team_a becomes team-a")
        self._write("team-a")
        self._note("the quota: a request for 15 VPCs, granted by AWS after a while")
        admin.call(
            "service-quotas",
            "RequestServiceQuotaIncrease",
            ServiceCode="vpc",
            QuotaCode="L-F678F1CE",
            DesiredValue=15.0,
        )
        self._post("clock", {"advance": 86_400})
        self._note("STS: activated for the Region, in the console's account settings")
        self._post("regions", {REGION: {"sts": "active"}})
        self._note("the permissions boundary: keys may be made again")
        admin.call(
            "iam",
            "PutUserPermissionsBoundary",
            UserName="alice",
            PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess",
        )

    def _role(self) -> tuple[str, ...]:
        self._chapter("3", "The role that the vendor assumes, without a second toolchain")
        alice = f"arn:aws:iam::{self._sandbox.account}:user/alice"
        self._run("role", "create", ROLE, "--trust", alice, "--yes", "--region", REGION)
        from preflight.secret import SecretFile
        from preflight.state import default_folder

        secret = SecretFile.of_role(default_folder(), self._sandbox.account, ROLE).read() or ""
        found = self._admin().call("iam", "GetRole", RoleName=ROLE)["Role"]["Arn"]
        return ("--role-arn", str(found), "--external-id", secret)

    def _open(self, role: tuple[str, ...]) -> None:
        self._chapter("4", "The gate again, as that role")
        self._run("check", "-f", str(self._spec), *role)
        self._chapter("5", "What will be made")
        self._run("plan", "-f", str(self._spec), *role)

    def _build(self, role: tuple[str, ...]) -> None:
        self._chapter("6", "It is made")
        from preflight.cli import provision
        from preflight.cli.asked import Asked
        from preflight.cli.live import progress

        self._say_command("provision", "-f", str(self._spec), *role, "--yes")
        asked = Asked(file=self._spec, role_arn=role[1], external_id=role[3], yes=True)
        with progress(asked, None) as watch:
            provision.run(asked, watch, shortest_poll=SHORTEST_POLL)
        self._run("clusters", "--region", REGION)

    def _leave(self) -> None:
        self._chapter("7", "Workloads run, and their controllers make things of their own")
        made = self._post("leave", {"cluster": "team-a", "region": REGION})["made"]
        for thing in made:
            self._note(" ".join(str(value) for value in thing.values()))

    def _take_down(self, role: tuple[str, ...]) -> None:
        from preflight.cli import delete, scan

        self._chapter("8", "The cluster is deleted")
        self._say_command("delete", "team-a", *role, "--yes")
        self._watch(6, delete.run, role)
        self._chapter("9", "What is left, and how it is known")
        html = f"html:{self._report}"
        self._run("scan", "team-a", *role, "-o", "text", "-o", html, expect=5)
        self._chapter("10", "It is removed, and nothing is left")
        self._say_command("scan", "team-a", *role, "--delete", "--yes")
        self._watch(0, scan.run, role, remove=True)
        self._run("role", "delete", ROLE, "--yes", "--region", REGION)

    def _watch(self, code: int, call: Any, role: tuple[str, ...], **options: Any) -> None:
        """Run a command that takes things away, as patient as its default on the virtual clock."""
        from preflight.cli.asked import Asked
        from preflight.cli.live import progress

        asked = Asked(name="team-a", region=REGION, role_arn=role[1], external_id=role[3], yes=True)
        options.update(patience=600 / self._time_scale, shortest_poll=SHORTEST_POLL)
        with progress(asked, None) as watch:
            self._expect(code, call, asked, watch, **options)

    def _end(self, before: Any) -> None:
        from preflight.sandbox.account.snapshot import difference

        self._chapter("", "The end")
        # Keys wait out their window, and AWS keeps the service-linked roles of an account.
        self._post("clock", {"advance": 8 * 86_400})
        different = difference(before, self._account())
        if different:
            typer.echo("\n".join(("the account is not what it was:", *different)), err=True)
            raise typer.Exit(1)
        typer.echo("The account is, resource for resource, what it was before.")
        typer.echo(f"The report of the leftovers: {self._report}")

    def _write(self, name: str) -> None:
        types = "[t3.medium]" if self._short else "[m7i.large, g6.xlarge]"
        self._spec.write_text(f"name: {name}\nregion: {REGION}\ninstance_types: {types}\n")

    def _run(self, *arguments: str, expect: int = 0) -> None:
        from preflight.cli.main import run

        self._say_command(*arguments)
        self._expect(expect, run, list(arguments))

    def _expect(self, code: int, call: Any, *arguments: Any, **options: Any) -> None:
        try:
            ended = call(*arguments, **options) or 0
        except typer.Exit as exit:
            ended = exit.exit_code
        if ended != code:
            typer.echo(f"this should have ended with {code}, not {ended}", err=True)
            raise typer.Exit(1)

    def _say_command(self, *arguments: str) -> None:
        shown = [*arguments]
        if "--external-id" in shown:
            shown[shown.index("--external-id") + 1] = "$EXTERNAL_ID"
        if "--role-arn" in shown:
            shown[shown.index("--role-arn") + 1] = "$ROLE_ARN"
        words = " ".join(
            word if word.startswith("$") else shlex.quote(word) for word in shown
        ).replace(f"{self._folder}/", "")
        typer.secho(f"\n$ preflight {words}\n", bold=True)

    def _chapter(self, number: str, title: str) -> None:
        typer.secho(f"\n{'─' * 78}\n{number + '. ' if number else ''}{title}", fg="cyan", bold=True)

    def _note(self, text: str) -> None:
        typer.echo(f"  · {text}")

    def _admin(self) -> Any:
        from preflight.aws import as_principal

        return as_principal(REGION, self._sandbox.access_key_id, self._sandbox.secret_access_key)

    def _post(self, path: str, body: Any) -> Any:
        import urllib.request

        request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
            f"{self._sandbox.endpoint}/_sandbox/{path}", data=json.dumps(body).encode()
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return json.load(answer)

    def _account(self) -> dict[str, Any]:
        """Take the account's resources as they are, apart from what the mending changed."""
        import urllib.request

        with urllib.request.urlopen(f"{self._sandbox.endpoint}/_sandbox/state") as answer:  # noqa: S310
            state: dict[str, Any] = json.load(answer)
        return state
