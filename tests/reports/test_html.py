"""The page: safe to open, small enough to mail, readable by everybody, the same every time."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from preflight.finding import Finding, LeftoverStatus, Severity, Status
from reports.formats import render
from reports.html import _asset
from reports.view import Kind, Outcome, Report


class Page(HTMLParser):
    """What a reader of HTML sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.raw: dict[str, str] = {}
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - HTMLParser's signature
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in {"style", "script"}:
            self.raw[self._inside] = self.raw.get(self._inside, "") + data
        else:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_nothing_is_loaded_and_only_our_style_and_script_may_run(any_report: Report) -> None:
    page = Page(render("html", any_report))
    (policy,) = (
        meta["content"] or ""
        for meta in page.all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        digest = base64.b64encode(hashlib.sha256(page.raw[tag].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    loading = {"src", "srcset", "data", "poster", "background", "style"}
    for tag, attributes in page.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "img", "form"}
        assert not {name for name in attributes if name in loading or name.startswith("on")}
    assert "url(" not in page.raw["style"]


def test_hostile_strings_are_only_words(hostile_report: Report) -> None:
    page = Page(render("html", hostile_report))
    assert len(page.all("script")) == 1
    assert "alert" not in page.raw["script"]
    assert page.all("img") == []
    assert "</script><script>alert(1)</script>" in page.text
    links = [link["href"] or "" for link in page.all("a")]
    assert not [href for href in links if not re.match(r"https?://|#f-[0-9a-f]{12}$", href)]


def test_every_finding_has_an_anchor_of_its_own(check_report: Report) -> None:
    ids = [item["id"] for item in Page(render("html", check_report)).all("li") if "id" in item]
    assert sorted(ids, key=str) == sorted(f"f-{each.id}" for each in check_report.findings)


def test_tables_have_a_caption_and_heads_with_a_scope(any_report: Report) -> None:
    page = Page(render("html", any_report))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(head.get("scope") in {"row", "col"} for head in page.all("th"))
    assert len(page.all("h1")) == 1


def test_the_verdict_price_and_coverage_stand_at_the_head(scan_report: Report) -> None:
    text = Page(render("html", scan_report)).text
    head = text.split("Price a month by type")[0]
    assert "2 leftovers, $40.85 a month" in head
    assert "2 of 3 rules could look" in head
    assert "load-balancers needs elasticloadbalancing:DescribeLoadBalancers" in head


def test_everything_is_in_the_page_without_its_script(check_report: Report) -> None:
    text = Page(render("html", check_report)).text
    for finding in check_report.findings:
        assert finding.subject in text
        assert finding.message in text
    assert "preflight quotas request --service vpc --code L-F678F1CE --value 6" in text


def test_a_plan_is_a_nested_list_with_every_resource_once(plan_report: Report) -> None:
    text = render("html", plan_report)
    tree = text.split("What needs what")[1].split("<h2>")[0]
    assert plan_report.plan is not None
    for resource in plan_report.plan.resources:
        assert tree.count(f"<code>{resource.address}</code>") == 1
    assert Page(tree).text.endswith("role iam/role")


def thing(number: int) -> Finding:
    """One of many leftovers, as different from the others as they are in an account."""
    kinds = [
        ("ec2/network-interface", "eni", "network-interface", "delete-network-interface"),
        ("ec2/volume", "vol", "volume", "delete-volume"),
        ("ec2/security-group", "sg", "security-group", "delete-security-group"),
    ]
    kind, prefix, word, operation = kinds[number % 3]
    name = f"{prefix}-{number:017x}"
    return Finding(
        check=f"leftovers-{word}",
        status=LeftoverStatus.LEFTOVER,
        severity=Severity.MEDIUM,
        subject=name,
        message=f"{word} {number} of cluster demo-{number % 7}, which is gone",
        data={
            "type": kind,
            "arn": f"arn:aws:ec2:us-west-2:111122223333:{word}/{name}",
            "id": name,
            "region": "us-west-2",
            "strength": "A",
            "evidence": ["kubernetes.io/cluster/demo=owned"],
            "age_seconds": 86_400 * (number % 90),
            "monthly_usd": number % 40 / 10,
            "delete": ["aws", "ec2", operation, f"--{word}-id", name],
        },
    )


def test_a_thousand_leftovers_fit_in_300_kb(scan_report: Report) -> None:
    report = replace(scan_report, findings=tuple(map(thing, range(1000))))
    page = render("html", report)
    assert len(page.encode()) < 300_000
    counts = Counter(re.findall(r"id=f-[0-9a-f]{12}", page))
    assert len(counts) == 1000
    assert set(counts.values()) == {1}


def test_a_thousand_answers_of_a_gate_fit_in_300_kb(check_report: Report) -> None:
    findings = tuple(
        Finding(
            check="quotas" if number % 2 else "permissions",
            status=Status.FAIL if number % 4 == 0 else Status.PASS,
            subject=f"ec2:CreateSomething{number} on arn:aws:ec2:us-west-2:111122223333:*/*",
            message=f"the action is not allowed by the identity policies of role {number}",
            hint=f"aws iam put-role-policy --role-name demo --policy-name p{number}",
            url="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html",
        )
        for number in range(1000)
    )
    page = render("html", replace(check_report, findings=findings))
    assert len(page.encode()) < 300_000


def test_what_a_group_shares_is_said_once_and_what_differs_stays(scan_report: Report) -> None:
    report = replace(scan_report, findings=tuple(map(thing, range(0, 30, 3))))
    text = Page(render("html", report)).text
    assert text.count("A: kubernetes.io/cluster/demo=owned") == 1
    assert text.count("arn:aws:ec2:us-west-2:111122223333:network-interface/…") == 1
    assert text.count("which is gone") == 10


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_words_stand_out_from_what_is_behind_them(scheme: str) -> None:
    """WCAG 2.2 AA asks for 4.5:1, https://www.w3.org/TR/WCAG22/#contrast-minimum."""
    light, dark, paper = re.findall(r":root\{([^}]*)\}", _asset("report.css"))
    chosen = {"light": "", "dark": dark, "print": paper}[scheme]
    colours = dict(re.findall(r"--(\w+):(#[0-9a-f]{3,6})", light + ";" + chosen))
    for behind in ("bg", "card", "code"):
        for name in ("ink", "soft", "link", "red", "amber", "violet", "green", "blue"):
            ratio = contrast(colours[name], colours[behind])
            assert ratio >= 4.5, f"{name} on {behind}: {ratio:.2f}"


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(sign * 2 for sign in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_an_empty_report_is_a_page_too(check_report: Report) -> None:
    empty = Report(
        kind=Kind.CHECK,
        generated_at=check_report.generated_at,
        version="0.1.0",
        verdict=Outcome.OPEN,
        complete=True,
    )
    assert "Gate open: nothing looked at (of 0 findings)" in Page(render("html", empty)).text


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_browser_runs_our_script_and_nothing_else(tmp_path: Path, hostile_report: Report) -> None:
    path = tmp_path / "report.html"
    path.write_text(render("html", hostile_report))
    done = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--enable-logging=stderr", f"--user-data-dir={tmp_path}/profile"),
            *("--dump-dom", path.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "Content Security Policy" not in done.stderr
    dom = Page(done.stdout)
    assert len(dom.all("script")) == 1
    links = [link for link in dom.all("a") if link.get("class") == "self"]
    assert len(links) == len(hostile_report.findings)


def test_a_quota_shows_how_full_it_would_be(quotas_report: Report) -> None:
    text = render("html", quotas_report)
    assert "<rect width=83.3 height=4 /><rect class=b x=83.3 width=16.7 height=4 />" in text
    assert "<rect width=8.3 height=4 /><rect class=b x=8.3 width=1.5 height=4 />" in text
