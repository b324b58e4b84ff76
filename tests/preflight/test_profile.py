from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from preflight import names, profile, schemas
from preflight.errors import SpecError, UsageError

OTHER = """\
name: acme
title: Acme
role: {trusted_account: "748115360335"}
cluster_name:
  pattern: "^(?!-)[a-z0-9-]{1,63}(?<!-)$"
  allowed: "[a-z0-9-]"
  maximum: 63
  text: lower case letters, numbers and hyphens
headroom:
  - {service: vpc, code: L-F678F1CE, name: VPCs, value: 1}
"""


def test_grid_asks_for_what_its_documentation_says() -> None:
    grid = profile.load("grid")
    wanted = {(quota.service, quota.code): quota.value for quota in grid.headroom}
    assert wanted == {
        ("iam", "L-FE177D64"): 15,
        ("iam", "L-E95E4862"): 15,
        ("vpc", "L-F678F1CE"): 5,
        ("s3", "L-DC2B2D3D"): 5,
    }
    limits = {(quota.service, quota.code): quota.value for quota in grid.limits}
    assert limits == {("autoscaling", "L-CDE20ADC"): 800, ("autoscaling", "L-6B80B8FA"): 600}
    assert (grid.vcpus.on_demand, grid.vcpus.spot) == (1000, 1000)
    assert grid.sts_regional_endpoint
    assert grid.default_zone == "a"


def test_grid_works_as_a_role_with_an_external_id() -> None:
    role = profile.load("grid").role
    assert role is not None
    assert (role.trusted_account, role.name_prefix) == ("302180240179", "grid-cloud")
    assert (role.maximum_session_seconds, role.external_id_length) == (43200, 30)
    assert role.actions == ("eks:*", "ecr:*", "events:*")
    assert len(role.managed_policies) == 9
    assert "arn:aws-us-gov:iam::aws:policy/IAMFullAccess" in role.managed_policy_arns("aws-us-gov")


def test_the_naming_rule_of_grid_and_of_the_table_are_one() -> None:
    grid = profile.load("grid")
    assert grid.name_rule == replace(names.CLUSTER, url=grid.url or "")
    assert grid.name_problems("team-a.dev") == ()
    assert grid.name_problems("team_a")


def test_a_vendor_can_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(OTHER, "utf-8")
    acme = profile.load(str(path))
    assert acme == profile.load(path)
    assert acme.name_problems("a.b") == (
        "'.' at position 2 is not allowed: lower case letters, numbers and hyphens.",
    )
    assert acme.name_problems("dev\n")
    assert acme.vcpus == profile.RequiredCpus()
    assert [quota.value for quota in acme.headroom] == [1]


def test_a_vendor_may_ask_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    path.write_text("name: none\ntitle: Nobody\n", "utf-8")
    nobody = profile.load(path)
    assert nobody == profile.Profile(name="none", title="Nobody")
    assert nobody.name_problems("Anything") == ()


def test_an_unknown_vendor_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="there is no vendor called 'gird'") as caught:
        profile.load("gird")
    assert caught.value.hint == "one of: grid, lightning; or the path of a profile file"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "v.yaml:1: the file is empty"),
        ("- x\n", "v.yaml:1: a list is not a mapping"),
        ("name: v\n", "v.yaml:1: the key 'title' is missing"),
        ("name: v\ntitle: V\nheadrom: []\n", "v.yaml:3: headrom: there is no such key"),
        (
            "name: v\ntitle: V\nrole:\n  trusted_account: 302180240179\n",
            "v.yaml:4: role.trusted_account: 302180240179 is not text",
        ),
        (
            "name: v\ntitle: V\nlimits:\n- {service: vpc, code: F678, name: x, value: 5}\n",
            "v.yaml:4: limits[0].code: 'F678': a quota code looks like L-F678F1CE",
        ),
        (
            "name: v\ntitle: V\ncluster_name:\n  pattern: '['\n  text: x\n",
            "v.yaml:4: cluster_name.pattern: '[' is not a regular expression",
        ),
        (
            "name: v\ntitle: V\nrole: {trusted_account: '302180240179', external_id_length: 8}\n",
            "v.yaml:3: role.external_id_length: 8 is less than 30",
        ),
    ],
)
def test_a_mistake_in_a_profile_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "v.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(SpecError) as caught:
        profile.load(path)
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(said)


def test_every_key_of_the_schema_reaches_the_profile(tmp_path: Path) -> None:
    files = (Path(profile.__file__).parent / "profiles").iterdir()
    contents: list[dict[str, Any]] = [yaml.safe_load(file.read_text("utf-8")) for file in files]
    shipped = {key: value for content in contents for key, value in content.items()}
    assert set(shipped) == set(schemas.schema("profile")["properties"])
    bare = profile.Profile(name="grid", title="Grid")
    grid = profile.load("grid")
    for key in ("url", "role", "name_rule", "limits", "vcpus", "headroom"):
        assert getattr(grid, key) != getattr(bare, key), key
    assert grid.provision_minutes == (30, 50)
    assert grid.delete_minutes == (20, 30)


def test_a_rule_with_a_beginning_of_its_own_takes_what_it_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    rule = "cluster_name: {pattern: 'acme-[a-z]+', text: acme- and letters}\n"
    path.write_text(f"name: acme\ntitle: Acme\n{rule}", "utf-8")
    acme = profile.load(path)

    assert acme.name_problems("acme-dev") == ()
    assert acme.name_problems("abc") == ("'abc' does not fit: acme- and letters.",)
