"""The documentation is true: what it computes, names, links to and gives as an example."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from preflight import spec
from preflight.cli.app import app
from preflight.cli.pages import checks_page
from preflight.sandbox.account.scenario import read_scenario
from reports.formats import FORMATS
from reports.view import Outcome

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page for pattern in ("*.md", "docs/**/*.md", "examples/*.md") for page in ROOT.glob(pattern)
)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
#: What a page says is not there yet stands under a heading that says so.
NOT_YET = re.compile(r"^#+ [^\n]*not (there|in it) yet.*?(?=^#|\Z)", re.MULTILINE | re.DOTALL)


def commands() -> set[str]:
    group = typer.main.get_command(app)
    names = getattr(group, "commands", {})
    inner = {
        f"{name} {each}" for name, one in names.items() for each in getattr(one, "commands", {})
    }
    return set(names) | inner


def blocks(text: str, language: str) -> Iterator[str]:
    yield from re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_page_of_checks_is_the_computed_one() -> None:
    assert (ROOT / "docs" / "checks.md").read_text("utf-8") == checks_page()


def test_the_readme_names_every_command() -> None:
    named = set(re.findall(r"preflight ((?:role |sandbox |quotas )?[a-z]+)", readme()))
    assert {one for one in commands() if one not in {"role", "sandbox"}} <= named


def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


@each_page
def test_a_page_names_no_command_that_is_not_there(page: Path) -> None:
    text = NOT_YET.sub("", page.read_text("utf-8"))
    named = re.findall(r"(?:`|^\$? ?)preflight ([a-z]+)", text, re.MULTILINE)
    assert set(named) <= commands()


def options(group: object, *path: str) -> Iterator[tuple[str, set[str]]]:
    """Give each command with the options it takes."""
    named = [name for one in getattr(group, "params", ()) for name in one.opts + one.secondary_opts]
    yield " ".join(path), {name for name in named if name.startswith("-")} | {"--help"}
    for name, command in getattr(group, "commands", {}).items():
        yield from options(command, *path, name)


OPTIONS = dict(options(typer.main.get_command(app)))
INVOKED = re.compile(r"preflight ((?:[a-z]+ ?){1,2})([^|;&`]*)")


@each_page
def test_a_command_shown_takes_its_options(page: Path) -> None:
    text = NOT_YET.sub("", page.read_text("utf-8"))
    shown = [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^\$ (.+)$", text, re.MULTILINE)]
    wrong = []
    for line in shown:
        for words, rest in INVOKED.findall(line):
            known = [" ".join(words.split()[:count]) for count in (2, 1)]
            takes = next((OPTIONS[name] for name in known if name in OPTIONS), set())
            wrong += [
                (line, one) for one in re.findall(r"(?<!\S)--[a-z-]+", rest) if one not in takes
            ]
    assert wrong == []


@each_page
def test_a_page_names_no_option_that_is_not_there(page: Path) -> None:
    named = re.findall(r"`(--[a-z-]+)[^`]*`", NOT_YET.sub("", page.read_text("utf-8")))
    assert set(named) <= set().union(*OPTIONS.values())


@each_page
def test_a_page_names_no_exit_code_that_is_not_there(page: Path) -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", readme(), re.MULTILINE)}
    text = page.read_text("utf-8")
    named = re.findall(r"\bexit(?:s with)?(?: code)? (\d+)\b", text, re.IGNORECASE)
    assert {int(code) for code in named} <= told


@each_page
def test_a_page_links_to_files_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert gone == []


@each_page
def test_a_page_names_files_that_are_there(page: Path) -> None:
    text = NOT_YET.sub("", page.read_text("utf-8"))
    rooms = r"(?:preflight|checks|provision|reports|tests|examples|docs)"
    named = set(re.findall(rf"`({rooms}/[\w./-]+\.(?:py|yaml|json|md))`", text))
    gone = {name for name in named if not (ROOT / name).is_file()}
    # How to add something speaks of files that the reader is about to write.
    assert {name for name in gone if "my_" not in name} == set()


def test_every_scenario_shown_loads(tmp_path: Path) -> None:
    shown = list(blocks((ROOT / "docs" / "sandbox.md").read_text("utf-8"), "yaml"))
    assert shown
    for number, text in enumerate(shown):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, "utf-8")
        assert read_scenario(file).value


def test_every_spec_shown_loads(tmp_path: Path) -> None:
    shown = list(blocks(readme(), "yaml"))
    assert shown
    for number, text in enumerate(shown):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, "utf-8")
        assert spec.load(file).name


def test_exit_codes_and_formats_are_told_as_they_are() -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", readme(), re.MULTILINE)}
    assert codes >= {outcome.exit_code for outcome in Outcome} | {1, 2}
    told = (ROOT / "docs" / "reports.md").read_text("utf-8")
    assert {name for name in FORMATS if f"| `{name}` |" not in told} == set()


def test_the_rooms_are_drawn_as_the_contract_has_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    drawn = next(text for text in blocks(page, "text") if "preflight.sandbox" in text)
    before = -1
    for layer in layers:
        names = [name.removeprefix("preflight.") for name in layer.split(" | ")]
        found = [re.search(rf"\b{name}\b", drawn) for name in names]
        places = [match.start() for match in found if match is not None]
        assert len(places) == len(names), f"{layer} is not drawn"
        assert before < min(places), f"{layer} is drawn too high"
        before = max(places)
