"""Payload schemas are included, checked, and never fetched."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orchestra.diagnostics import Diagnostic
from orchestra.spec import load_spec, parse_spec
from spec.helpers import in_workload

SPEC = in_workload("payload_schema: ./payloads/p.json")
GOOD = '{"type": "object", "properties": {"b": {"type": "string"}, "a": {"const": 1e3}}}'


def read(schema: str, name: str = "p.json") -> tuple[str | None, tuple[Diagnostic, ...]]:
    result = parse_spec(SPEC.replace("p.json", name), includes={f"./payloads/{name}": schema})
    assert result.spec is not None
    return result.spec.workloads[0].payload_schema_json, result.diagnostics


def test_a_schema_becomes_canonical_json() -> None:
    text, found = read(GOOD)
    assert found == ()
    assert text == '{"properties":{"a":{"const":1000.0},"b":{"type":"string"}},"type":"object"}'


def test_a_schema_may_be_yaml() -> None:
    text, found = read("type: object\nproperties:\n  on: {type: boolean}\n", "p.yaml")
    assert found == ()
    assert text is not None
    assert json.loads(text)["properties"] == {"on": {"type": "boolean"}}


def test_any_json_is_read_by_the_letter() -> None:
    text, found = read('{"title": "\\ud83d\\ude00 \\/ é",\t"default": [1E5, 0.1, null, true]}')
    assert found == ()
    assert text is not None
    assert json.loads(text) == {"title": "😀 / é", "default": [1e5, 0.1, None, True]}


FAULTS = [
    ('{"type": "objekt"}', "E141", (1, 10), "not a JSON Schema"),
    ('{\n "properties": []}', "E141", (2, 16), "not a JSON Schema"),
    ('{"type": "object",}', "E141", (1, 19), "not JSON"),
    ('{"type": NaN}', "E141", (1, 1), "NaN"),
    ("[]", "E141", (1, 1), "is a mapping"),
    ("true", "E141", (1, 1), "is a mapping"),
    ("", "E112", (1, 1), "empty"),
    ('{"a": ' * 200 + "1" + "}" * 200, "E109", (1, 379), "nested"),
    ('{"type": "string", "type": "object"}', "E107", (1, 20), "twice"),
    ('{"$ref": "common.json#/a"}', "E142", (1, 10), "outside itself"),
    ('{"properties": {"a": {"$ref": "http://127.0.0.1:9/s.json"}}}', "E142", (1, 31), "outside itself"),
    ('{"$ref": "#/$defs/none"}', "E142", (1, 10), "not in it"),
    ('{"pattern": "("}', "E141", (1, 1), "not a JSON Schema"),
    ('{"maximum": 1e999}', "E141", (1, 1), "not JSON"),
    ('{"title": "\\ud800"}', "E141", (1, 1), "surrogate"),
    ('{"title": "\\ud83d\\ude00", "a": 1, "a": 2}', "E141", (1, 1), "stands twice"),
    ('{"$schema": 5}', "E141", (1, 13), "no draft"),
    ('{"$schema": "http://127.0.0.1:9/"}', "E141", (1, 13), "no draft"),
    ('{"$ref": "#none"}', "E141", (1, 1), "not a JSON Schema"),
    ('{"title": "a\x07b"}', "E104", (1, 13), "U+0007"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "code", "place", "message"), FAULTS, ids=[f[0][:30] for f in FAULTS])
def test_a_faulty_schema_is_shown_at_both_places(
    schema: str, code: str, place: tuple[int, int], message: str
) -> None:
    text, found = read(schema)
    assert text is None
    finding = found[0]
    assert finding.code == code
    assert (finding.span.file, finding.span.line, finding.span.column) == ("payloads/p.json", *place)
    assert message in finding.message
    assert [str(label.span) for label in finding.labels][-1] == "orchestra.yaml:7:21"


def test_a_reference_within_the_schema_is_followed() -> None:
    schema = {
        "$defs": {"a/b": {"type": "string"}, "c": {"$anchor": "x"}},
        "properties": {
            "$ref": {"type": "integer"},
            "one": {"$ref": "#/$defs/a~1b"},
            "two": {"$ref": "#/%24defs/c"},
            "three": {"$ref": "#x"},
            "four": {"$ref": "#"},
        },
        "examples": [{"$ref": "elsewhere.json"}],
    }
    assert read(json.dumps(schema))[1] == ()


def test_an_older_draft_is_judged_by_its_own_rules() -> None:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}
    assert read(json.dumps(schema))[1] == ()
    assert read(json.dumps({"items": [{"type": "string"}]}))[1] != ()


def test_a_schema_that_was_not_given_is_a_finding() -> None:
    (finding,) = parse_spec(SPEC).diagnostics
    assert (finding.code, str(finding.span)) == ("E140", "orchestra.yaml:7:21")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "payloads").mkdir()
    (tmp_path / "orchestra.yaml").write_text(SPEC)
    return tmp_path


def test_the_path_is_relative_to_the_spec_file(folder: Path) -> None:
    (folder / "payloads" / "p.json").write_text(GOOD)
    result = load_spec([folder / "orchestra.yaml"])
    assert result.ok
    assert str(folder / "payloads" / "p.json") in result.sources


def test_a_device_a_pipe_and_a_folder_are_no_schemas(folder: Path) -> None:
    target = folder / "payloads" / "p.json"
    (folder / "orchestra.yaml").write_text(
        SPEC.replace("./payloads", "../" * 30 + "dev").replace("p.json", "zero")
    )
    assert [d.code for d in load_spec([folder]).diagnostics] == ["E140"]
    (folder / "orchestra.yaml").write_text(SPEC)
    assert [d.code for d in load_spec([folder]).diagnostics] == ["E140"]
    target.mkdir()
    assert [d.code for d in load_spec([folder]).diagnostics] == ["E140"]
    target.rmdir()
    os.mkfifo(target)
    assert [d.code for d in load_spec([folder]).diagnostics] == ["E140"]
    target.unlink()
    target.write_bytes(b"\xff\xfe{")
    assert [d.code for d in load_spec([folder]).diagnostics] == ["E140"]
    target.write_text(" " * 2_000_000)
    assert [d.code for d in load_spec([folder]).diagnostics] == ["E140"]
