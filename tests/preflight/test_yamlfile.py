from __future__ import annotations

from pathlib import Path

import pytest

from preflight import yamlfile
from preflight.errors import SpecError


def test_values_and_their_lines_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: 1\nb:\n  - x\n  - {c: 2012-10-17}\n")
    document = yamlfile.load(file)
    assert document.value == {"a": 1, "b": ["x", {"c": "2012-10-17"}]}
    assert document.line_of(("b", 1, "c")) == 4
    assert document.line_of(("b",)) == 2
    assert document.line_of(("b", 7, "nowhere")) == 2
    assert document.where(["a"]) == f"{file}:1"


def test_json_with_tabs_and_surrogate_pairs_is_read() -> None:
    text = '{\n\t"a": "\\ud83d\\ude00",\n\t"b": [true, null, 1.5]\n}'
    document = yamlfile.loads(text, "a.json")
    assert document.value == {"a": "\N{GRINNING FACE}", "b": [True, None, 1.5]}
    assert document.line_of(("b",)) == 3


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\na: 2\n", 2, "written twice"),
        ("a: [1\nb: 2\n", 2, "is not YAML"),
        ("a: 1\nb: !!python/object/apply:os.system [id]\n", 2, "not allowed"),
        ("a: 1\nb: !!python/name:os.system x\n", 2, "not allowed"),
        ("a: &a [*a]\n", 1, "contains itself"),
        ("a: .inf\n", 1, "finite"),
        ("base: &b {x: 1}\nc:\n  <<: *b\n", 3, "merge keys"),
        ("? [1, 2]\n: 3\n", 1, "not plain text"),
        ("--- 1\n--- 2\n", 2, "is not YAML"),
        ("a: " + "[" * 5000 + "]" * 5000, 1, "nested deeper"),
        ("a: " + "9" * 5000, 1, "is not a number"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        yamlfile.loads(text, "f.yaml")
    assert caught.value.where == f"f.yaml:{line}"


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(SpecError, match="more than 100000 values"):
        yamlfile.loads("\n".join(lines), "bomb.yaml")


def test_a_file_over_one_mebibyte_or_not_utf8_or_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="larger than 1024 KiB"):
        yamlfile.loads("a: " + "x" * yamlfile.MAXIMUM_BYTES, "big.yaml")
    with pytest.raises(SpecError, match="not UTF-8"):
        yamlfile.loads(b"a: \xff\xfe", "latin.yaml")
    with pytest.raises(SpecError, match="cannot be read"):
        yamlfile.load(tmp_path / "absent.yaml")


def test_a_schema_mistake_names_line_and_key() -> None:
    document = yamlfile.loads("a:\n  b: x\n", "f.yaml")
    schema = {"properties": {"a": {"properties": {"b": {"type": "integer"}}}}}
    with pytest.raises(SpecError, match=r"f\.yaml:2: a\.b: 'x' is not of type 'integer'"):
        document.check(schema)
