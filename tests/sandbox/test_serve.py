"""`preflight sandbox serve` as somebody runs it: what is wrong is told, with what to do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import boto3
import pytest
from packaging.requirements import Requirement

TEN_SECONDS_AND_A_SLOW_MACHINE = 120
ROOT = Path(__file__).parents[2]


def serve(*arguments: str, only: Path | None = None) -> tuple[int, str, str]:
    """Run the command; `only` is a folder that holds all the libraries there are."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    python = [sys.executable]
    if only is not None:
        # Without `site` the libraries of this environment are out of reach.
        python, environment["PYTHONPATH"] = [sys.executable, "-S"], f"{only}:{ROOT}"
    done = subprocess.run(
        [*python, "-m", "preflight", "sandbox", "serve", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=TEN_SECONDS_AND_A_SLOW_MACHINE,
    )
    return done.returncode, done.stdout, done.stderr


def plain_install(folder: Path) -> Path:
    """Fill a folder with what an installation without extras brings, and with nothing else."""
    seen, wanted = set(), ["preflight-eks"]
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        found = distribution(name)
        needs = [Requirement(text) for text in found.requires or ()]
        wanted += [
            need.name
            for need in needs
            if need.marker is None or need.marker.evaluate({"extra": ""})
        ]
        for file in found.files or ():
            top = Path(str(found.locate_file(file.parts[0])))
            if name != "preflight-eks" and ".." not in file.parts and top.exists():
                link = folder / file.parts[0]
                if not link.exists():
                    link.symlink_to(top)
    return folder


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("acount: {}\n", 1, "acount"),
        ("calls:\n- {service: ec3, operation: X}\n", 2, "ec3"),
        ("calls:\n- service: ec2\n  operation: MakeVpc\n", 3, "MakeVpc"),
        ("calls:\n- service: ec2\n  operation: DeleteVpc\n  parameters: {Id: x}\n", 4, "Id"),
        (
            "calls:\n- service: sqs\n  operation: GetQueueUrl\n  parameters: {QueueName: q}\n",
            2,
            "sqs GetQueueUrl failed",
        ),
        ("consistency:\n  describe_lag: {min: 3, max: 1}\n", 2, "min is more than max"),
        (
            "calls:\n- service: sqs\n  operation: CreateQueue\n  parameters: {QueueName: '${q}'}\n",
            4,
            "${q}",
        ),
    ],
    ids=["key", "service", "operation", "parameter", "failing-call", "lag", "undefined-name"],
)
def test_a_wrong_scenario_is_refused_at_start_with_file_line_and_reason(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    file = tmp_path / "account.yaml"
    file.write_text(text)
    code, out, error = serve("--scenario", str(file))
    assert (code, out) == (2, "")
    assert f"{file}:{line}" in error
    assert reason in error
    assert "Traceback" not in error


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, out, error = serve("--port", str(port))
    assert (code, out) == (2, "")
    assert f"port {port} is in use" in error
    assert "0 for a free one" in error


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    libraries = plain_install(tmp_path)
    assert (libraries / "boto3").is_dir()
    assert not (libraries / "moto").exists()
    code, out, error = serve(only=libraries)
    assert (code, out) == (2, "")
    assert "[sandbox]" in error
    assert "pip install" in error
    assert "Traceback" not in error


def test_one_line_and_then_any_client_is_answered(tmp_path: Path) -> None:
    file = tmp_path / "account.yaml"
    file.write_text("calls:\n- {service: ec2, operation: CreateInternetGateway}\n")
    command = [sys.executable, "-m", "preflight", "sandbox", "serve", "--time-scale", "60"]
    command += ["--scenario", str(file)]
    # What is set for the real AWS is not for this one.
    environment = os.environ | {"AWS_PROFILE": "nobody", "AWS_USE_FIPS_ENDPOINT": "true"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        banner = json.loads(process.stdout.readline())
        sts = boto3.client(
            "sts",
            region_name=banner["region"],
            endpoint_url=banner["endpoint"],
            aws_access_key_id=banner["access_key_id"],
            aws_secret_access_key=banner["secret_access_key"],
        )
        assert sts.get_caller_identity()["Account"] == banner["account"]
        sts.close()
        process.terminate()
        assert process.wait(30) == 0
        assert process.stdout.read() == ""
