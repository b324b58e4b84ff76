from __future__ import annotations

import json
import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight import names, schemas, spec
from preflight.errors import SpecError, UsageError
from preflight.ranges import carve

EXAMPLES = Path(__file__).parents[2] / "examples"


def refusal(tmp_path: Path, text: str, file: str = "cluster.yaml", **flags: Any) -> list[str]:
    """Read a file that is wrong and give what is said, a line each, without the folder."""
    path = tmp_path / file
    path.write_text(text, "utf-8")
    with pytest.raises(SpecError) as caught:
        spec.load(path, **flags)
    assert caught.value.exit_code == 2
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def test_a_name_is_enough() -> None:
    assert spec.load(EXAMPLES / "minimal.yaml") == spec.ClusterSpec(name="dev")


def test_the_full_example_has_every_key_and_is_accepted() -> None:
    text = (EXAMPLES / "cluster.yaml").read_text("utf-8")
    loaded = spec.load(EXAMPLES / "cluster.yaml")
    assert loaded.instance_types[1].capacity == (spec.Capacity.SPOT,)
    assert loaded.tags == {"cost-center": "1234"}
    for key in schemas.schema("cluster")["properties"]:
        assert f"\n{key}:" in text or f"\n# {key}:" in text or key == "external_id", key


def test_the_defaults_in_the_schema_are_the_defaults_of_the_values() -> None:
    def defaults(part: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for key, entry in part["properties"].items():
            branches = [entry, *entry.get("anyOf", ())]
            inner = next((b for b in branches if "properties" in b), None)
            if inner is not None:
                found[key] = defaults(inner)
            elif "default" in entry:
                found[key] = entry["default"]
        return found

    written = defaults(schemas.schema("cluster"))
    assert spec.from_mapping({"name": "dev", **written}) == spec.ClusterSpec(name="dev")
    sized = defaults(schemas.schema("cluster")["$defs"]["sized_instance_type"])
    one = spec.from_mapping({"name": "dev", "instance_types": [{"type": "m5.large", **sized}]})
    assert one == spec.ClusterSpec(name="dev")
    access = defaults(schemas.schema("cluster")["properties"]["access"]["items"])
    arn = "arn:aws:iam::111122223333:role/ops"
    entry = spec.from_mapping({"name": "dev", "access": [{"principal": arn, **access}]}).access[0]
    assert entry == spec.Access(principal=arn)


def test_every_key_of_the_schema_is_explained_and_closed() -> None:
    def walk(part: Any) -> None:
        if isinstance(part, dict):
            for entry in part.get("properties", {}).values():
                assert entry.get("description"), entry
            if part.get("type") == "object":
                assert "additionalProperties" in part, part
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    from jsonschema import Draft202012Validator

    for name in ("cluster", "profile"):
        Draft202012Validator.check_schema(schemas.schema(name))
        walk(schemas.schema(name))


def test_every_part_can_be_switched_off() -> None:
    off = spec.from_mapping(
        {
            "name": "bare",
            "network": {"endpoints": False, "nat": "single"},
            "encryption": False,
            "logging": False,
            "oidc": False,
            "addons": [],
            "buckets": [],
            "repositories": [],
            "interruption_queue": False,
            "notifications": False,
            "resolver_query_logging": False,
            "guardduty": False,
            "plugins": False,
        }
    )
    assert off.network.endpoints == spec.Endpoints(gateway=(), interface=())
    assert off.network.nat_zones == ("a",)
    assert off.logging.types == ()
    assert not any((off.encryption, off.oidc, off.addons, off.buckets, off.repositories))
    assert not any((off.interruption_queue, off.notifications, off.guardduty, off.plugins))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: dev\nregoin: x\n", "cluster.yaml:2: regoin: there is no such key"),
        ("name: dev\nencryption: 1\n", "cluster.yaml:2: encryption: 1 is not true or false"),
        ("name: dev\nregion:\n", "cluster.yaml:2: region: nothing is not text"),
        ("name: dev\nversion: 1.30\n", "cluster.yaml:2: version: 1.3 is not text"),
        ("name: dev\naccount: 1234\n", "cluster.yaml:2: account: 1234: an account is 12 digits"),
        (
            "name: dev\nregion: us-west-2a\n",
            "cluster.yaml:2: region: 'us-west-2a': a Region looks like us-west-2",
        ),
        (
            "name: dev\ninstance_types:\n- t2.medium\n- t2_large\n",
            "cluster.yaml:4: instance_types[1]: 't2_large': an instance type looks like t2.medium",
        ),
        (
            "name: dev\ninstance_types: t2.medium\n",
            "cluster.yaml:2: instance_types: 't2.medium' is not a list",
        ),
        (
            "name: dev\ninstance_types: [3]\n",
            "cluster.yaml:2: instance_types[0]: 3 is not text or a mapping",
        ),
        (
            "name: dev\ninstance_types:\n- type: m5.large\n- m5.large\n",
            "cluster.yaml:4: instance_types[1]: m5.large is listed twice, first as",
        ),
        (
            "name: dev\ninstance_types:\n- {type: m7i.metal-24xl}\n- {type: m7i-metal.24xl}\n",
            "cluster.yaml:4: instance_types[1]: m7i-metal.24xl and m7i.metal-24xl would both be",
        ),
        (
            "name: dev\ninstance_types:\n- type: m5.large\n  min: 5\n  max: 2\n",
            "cluster.yaml:4: instance_types[0].min: min 5 is more than max 2",
        ),
        (
            "name: dev\ninstance_types:\n- type: m5.large\n  desired: 3\n  max: 2\n",
            "cluster.yaml:4: instance_types[0].desired: desired 3 is not between min 0 and max 2",
        ),
        (
            "name: dev\nnetwork:\n  cidr: 10.0.0.1/16\n",
            "cluster.yaml:3: network.cidr: 10.0.0.1/16 does not start on its own boundary: "
            "10.0.0.0/16 does",
        ),
        (
            "name: dev\nnetwork:\n  cidr: 10.0.0.0/15\n",
            "cluster.yaml:3: network.cidr: 10.0.0.0/15 is too large: a VPC has /16 to /28",
        ),
        (
            "name: dev\nnetwork:\n  cidr: 10.0.0.0/29\n",
            "cluster.yaml:3: network.cidr: 10.0.0.0/29 is too small",
        ),
        (
            "name: dev\nnetwork:\n  cidr: 10.0.0/16\n",
            "cluster.yaml:3: network.cidr: '10.0.0/16' is not an IPv4 range",
        ),
        (
            "name: dev\nnetwork:\n  cidr: 10.0.0.0/25\n",
            "cluster.yaml:3: network.cidr: 10.0.0.0/25 has no room for 3 zones: a public subnet "
            "would be /29, and AWS's smallest is /28; take /24",
        ),
        (
            "name: dev\nnetwork: {cidr: 10.0.0.0/24}\n"
            "instance_types: [{type: m5.large, desired: 90}]\n",
            "cluster.yaml:2: network.cidr: 10.0.0.0/24 leaves 177 addresses in private subnets, "
            "fewer than the 180 nodes",
        ),
        (
            "name: dev\nnetwork:\n  service_cidr: 10.0.128.0/20\n",
            "cluster.yaml:3: network.service_cidr: 10.0.128.0/20 overlaps the VPC's 10.0.0.0/16",
        ),
        (
            "name: dev\nnetwork:\n  service_cidr: 8.8.0.0/16\n",
            "cluster.yaml:3: network.service_cidr: 8.8.0.0/16 is not within 10.0.0.0/8",
        ),
        (
            "name: dev\nnetwork:\n  zones: [a, a]\n",
            "cluster.yaml:3: network.zones: an entry is listed twice",
        ),
        ("name: dev\nnetwork:\n  zones: 1\n", "cluster.yaml:3: network.zones: 1 is less than 2"),
        (
            "name: dev\nnetwork:\n  nat: none\n  endpoints: {interface: [sts]}\n",
            "cluster.yaml:3: network.nat: without NAT the nodes need endpoints for ec2, ecr.api",
        ),
        (
            "name: dev\napi: {private: false}\n",
            "cluster.yaml:2: api.private: nobody would reach the API server",
        ),
        (
            "name: dev\napi:\n  public: true\n",
            "cluster.yaml:3: api.public: a public endpoint needs public_cidrs",
        ),
        (
            "name: dev\napi:\n  public: true\n  public_cidrs: [0.0.0.0/0]\n",
            "cluster.yaml:4: api.public_cidrs[0]: 0.0.0.0/0 is everybody",
        ),
        (
            "name: dev\napi:\n  public: true\n  public_cidrs: [10.1.0.0/16]\n",
            "cluster.yaml:4: api.public_cidrs[0]: 10.1.0.0/16 lies in 10.0.0.0/8",
        ),
        (
            "name: dev\naccount: '111122223333'\nrole_arn: arn:aws:iam::444455556666:role/x\n",
            "cluster.yaml:3: role_arn: the role is in account 444455556666, not in 111122223333",
        ),
        (
            "name: dev\ntags:\n  AWS:x: y\n",
            "cluster.yaml:3: tags.AWS:x: 'AWS:x': a tag key has",
        ),
        (
            "name: dev\nwaive:\n- check: x\n",
            "cluster.yaml:3: waive[0]: the key 'reason' is missing",
        ),
        ('name: "dev\\n"\n', r"cluster.yaml:1: name: 'dev\n': a name has a letter or digit"),
        ("name: ..\n", "cluster.yaml:1: name: '..': a name has a letter or digit"),
        ("region: us-east-1\n", "cluster.yaml:1: the key 'name' is missing"),
        ("", "cluster.yaml:1: the file is empty"),
        ("# nothing here\n", "cluster.yaml:1: the file is empty"),
        ("- name: dev\n", "cluster.yaml:1: a list is not a mapping"),
        ("dev\n", "cluster.yaml:1: 'dev' is not a mapping"),
        ("name: dev\nname: live\n", "cluster.yaml:2: the key 'name' is written twice"),
        ("name: dev\nnetwork: &n {cidr: *n}\n", "cluster.yaml:2: an alias contains itself"),
        ("name: dev\nregion: [us\n", "cluster.yaml:3: is not YAML"),
        ("name: dev\nname2: !!python/object:os.system x\n", "cluster.yaml:2: "),
        ("\x00\x01\x02", "cluster.yaml:1: is not YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (line,) = refusal(tmp_path, text)
    assert line.startswith(said)


def test_a_mistake_in_a_json_file_is_told_with_its_line(tmp_path: Path) -> None:
    text = '{\n\t"name": "dev",\n\t"network": {\n\t\t"cidr": "ten"\n\t}\n}\n'
    assert refusal(tmp_path, text, "cluster.json") == [
        "cluster.json:4: network.cidr: 'ten' is not an IPv4 range such as 10.0.0.0/16"
    ]
    (line,) = refusal(tmp_path, '{\n "name": "dev",\n "region": \n', "cluster.json")
    assert line.startswith("cluster.json:")


def test_a_huge_file_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    with path.open("wb") as stream:
        stream.write(b"name: dev\n#")
        stream.truncate(50 * 1024 * 1024)
    with pytest.raises(SpecError, match="is larger than 1024 KiB"):
        spec.load(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"none\.yaml: cannot be read: No such file"):
        spec.load(tmp_path / "none.yaml")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    said = refusal(
        tmp_path,
        "api: {public: true}\n"
        "network:\n"
        "  cidr: 10.0.0.0/8\n"
        "  nat: sometimes\n"
        "bucket: [logs]\n"
        "name: dev\n"
        "encryption: maybe\n",
    )
    assert [line.split(": ")[:2] for line in said] == [
        ["cluster.yaml:1", "api.public"],
        ["cluster.yaml:3", "network.cidr"],
        ["cluster.yaml:4", "network.nat"],
        ["cluster.yaml:5", "bucket"],
        ["cluster.yaml:7", "encryption"],
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("regoin", "region"), ("instance-types", "instance_types"), ("Buckets", "buckets")],
)
def test_an_unknown_key_is_answered_with_the_nearest_one(
    tmp_path: Path, written: str, meant: str
) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(f"name: dev\n{written}: x\n", "utf-8")
    with pytest.raises(SpecError) as caught:
        spec.load(path)
    assert caught.value.hint == f"did you mean {meant!r}?"


def test_a_key_cannot_spoil_the_terminal(tmp_path: Path) -> None:
    text = 'name: dev\n"\\e[31mred": x\ntags: {"\\e[2J": 1}\n' + "k" * 500 + ": x\n"
    said = refusal(tmp_path, text)
    assert len(said) == 4
    assert "there is no such key as '\\x1b[31mred'" in said[0]
    assert all(line.isprintable() and len(line) < 500 for line in said)


def test_endless_mistakes_are_cut_short(tmp_path: Path) -> None:
    said = refusal(tmp_path, "name: dev\n" + "".join(f"key{n}: x\n" for n in range(1000)))
    assert len(said) == 26
    assert said[-1] == "and 975 more"


def test_a_whole_number_with_a_point_is_a_whole_number() -> None:
    read = spec.from_mapping(
        {
            "name": "dev",
            "account": 111122223333.0,
            "network": {"zones": 2.0},
            "instance_types": [{"type": "m5.large", "max": 3.0}],
            "logging": {"retention_days": 30.0},
        }
    )
    assert json.dumps(spec.to_mapping(read)).count(".0,") == 0
    assert read.account == "111122223333"


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text("name: dev\nregion: eu-west-1\ninstance_types: [{type: t2.large, max: 3}]\n")
    won = spec.load(
        path, name="live", region="us-west-2", instance_types="t2.medium, t2.large", account=None
    )
    assert (won.name, won.region, won.account) == ("live", "us-west-2", None)
    assert [(wanted.type, wanted.max) for wanted in won.instance_types] == [
        ("t2.medium", 10),
        ("t2.large", 3),
    ]
    assert spec.with_flags(spec.load(path), name="live").region == "eu-west-1"


def test_a_flag_supplies_the_name_that_the_file_lacks(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text("region: eu-west-1\n")
    assert spec.load(path, name="dev").name == "dev"


def test_a_mistake_in_a_flag_is_told_of_the_flag(tmp_path: Path) -> None:
    said = refusal(
        tmp_path, "name: dev\nregion: 7\nbuckets: 7\n", region="west", instance_types="t2.medium,x"
    )
    assert said == [
        "--region: 'west': a Region looks like us-west-2, without the letter of a zone",
        "--instance-types: 'x': an instance type looks like t2.medium",
        "cluster.yaml:3: buckets: 7 is not a list",
    ]
    with pytest.raises(SpecError, match=r"^NAME: 'a b': "):
        spec.with_flags(None, name="a b")


def test_the_external_id_is_in_no_text() -> None:
    secret = "0123456789secret"
    kept = spec.with_flags(
        spec.from_mapping({"name": "dev", "external_id": secret}), region="eu-west-1"
    )
    assert kept.external_id == secret
    assert secret not in repr(kept)
    assert secret not in json.dumps(spec.to_mapping(kept))
    for wrong in (secret + " ", [secret], {"x": secret}):
        with pytest.raises(SpecError) as caught:
            spec.from_mapping({"name": "dev", "external_id": wrong})
        assert secret not in str(caught.value) + str(caught.value.hint)


def test_sizes_that_are_not_given_follow_those_that_are() -> None:
    def sizes(**given: int) -> tuple[int, int, int]:
        entry = {"type": "m5.large", **given}
        one = spec.from_mapping({"name": "dev", "instance_types": [entry]}).instance_types[0]
        return one.min, one.desired, one.max

    assert sizes() == (0, 1, 10)
    assert sizes(min=3) == (3, 3, 10)
    assert sizes(desired=20) == (0, 20, 20)
    assert sizes(min=12) == (12, 12, 12)


@pytest.mark.parametrize("kind", ["t2.medium", "p5en.48xlarge", "u-6tb1.metal", "m7i.metal-24xl"])
def test_each_instance_type_gets_a_legal_node_pool_for_each_capacity(kind: str) -> None:
    pools = spec.with_flags(None, name="dev", instance_types=[kind]).pools
    assert [pool.capacity for pool in pools] == ["on-demand", "spot"]
    for pool in pools:
        assert names.problems(names.NODE_GROUP, pool.name) == ()


def test_every_region_and_instance_type_that_aws_has_is_accepted() -> None:
    session = botocore.session.get_session()
    regions = {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("eks", partition)
    }
    assert len(regions) > 30
    for region in (*regions, "eusc-de-east-1", "mx-central-1"):
        assert spec.with_flags(None, name="dev", region=region).region == region
    kinds = session.get_service_model("ec2").shape_for("InstanceType").enum
    assert len(kinds) > 500
    for start in range(0, len(kinds), 50):
        wanted = kinds[start : start + 50]
        pools = spec.with_flags(None, name="dev", instance_types=wanted).pools
        assert len(pools) == 2 * len(wanted)


def test_an_account_without_quotes_is_understood() -> None:
    assert spec.from_mapping({"name": "dev", "account": 111122223333}).account == "111122223333"


@settings(max_examples=100, deadline=None)
@given(prefix=st.integers(16, 22), count=st.integers(2, 6), block=st.integers(0, 63))
def test_subnets_lie_in_the_vpc_and_apart_from_each_other(
    prefix: int, count: int, block: int
) -> None:
    whole = IPv4Network(f"10.{block}.0.0/{prefix}")
    zones = tuple("abcdef"[:count])
    subnets = carve(str(whole), zones)
    assert [s.zone for s in subnets if s.public] == list(zones)
    assert [s.zone for s in subnets if not s.public] == list(zones)
    parts = [IPv4Network(subnet.cidr) for subnet in subnets]
    assert all(part.subnet_of(whole) and part.prefixlen <= 28 for part in parts)
    assert not any(a.overlaps(b) for i, a in enumerate(parts) for b in parts[:i])


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "type", "network", "cidr", "zones", "instance_types"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_is_written_ends_in_a_spec_or_a_refusal(value: Any) -> None:
    try:
        read = spec.from_mapping({"name": "dev", "network": value, "instance_types": value})
    except SpecError:
        return
    assert spec.from_mapping(spec.to_mapping(read)) == read


def test_a_spec_survives_being_written_and_read_back() -> None:
    full = spec.load(EXAMPLES / "cluster.yaml")
    assert spec.from_mapping(json.loads(json.dumps(spec.to_mapping(full)))) == full
    assert hash(full) == hash(spec.load(EXAMPLES / "cluster.yaml"))


def test_an_unknown_schema_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="there is no schema called"):
        schemas.schema("../errors")


def test_reading_a_spec_needs_no_aws_library() -> None:
    code = (
        "import sys; from preflight import profile, spec; "
        f"spec.load({str(EXAMPLES / 'cluster.yaml')!r}); profile.load('grid'); "
        "sys.exit(any(m.split('.')[0] in ('boto3', 'botocore', 'moto') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_importing_the_spec_loads_nothing_heavy() -> None:
    code = (
        "import sys, preflight.spec, preflight.profile; "
        "sys.exit(any(m in sys.modules for m in ('yaml', 'jsonschema', 'boto3')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
