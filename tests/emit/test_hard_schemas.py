"""Schemas that are hard on TypeScript, or on the names beside theirs: what they become compiles, and handlers fit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from deno_tool import complaints, type_errors, write_functions
from emit_specs import load

from orchestra import pipeline
from orchestra.spec.limits import MAX_DEPTH

QUEUE = """
  {name}:
    trigger: manual
    duration: {{max: 5s}}
    payload_schema: ./{name}.json
"""
EACH_KIND = """\
version: 1
project: shop
workloads:
  queue:
    trigger: manual
    duration: {max: 5s}
    payload_schema: ./some.json
  call:
    trigger: {http: {auth: jwt}}
    duration: {max: 5s}
    payload_schema: ./some.json
  door:
    trigger: {http: {auth: secret}}
    duration: {max: 5s}
    run: {sql: "select 1 where $1 is not null"}
    payload_schema: ./some.json
  steps:
    trigger: manual
    payload_schema: ./some.json
    steps:
      collect: {duration: {max: 5s}}
      render: {depends_on: [collect], map: collect, duration: {max: 5s}}
"""


def queues(folder: Path, schemas: dict[str, Any]) -> Path:
    text = "version: 1\nproject: shop\nworkloads:" + "".join(QUEUE.format(name=name) for name in schemas)
    return write_functions(load(text, folder / "spec", **schemas), folder)


ANY_JSON = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/json"}},
        {"type": "array", "items": {"$ref": "#/$defs/json"}},
        {"type": ["string", "number", "boolean", "null"]},
    ]
}
# Each schema with an expression that must have a type, and one that it must not have.
RECURSIVE: dict[str, tuple[Any, str, str]] = {
    "json": (
        {
            "properties": {"data": {"$ref": "#/$defs/json"}},
            "required": ["data"],
            "$defs": {"json": ANY_JSON},
        },
        'typeof payload.data === "string" && payload.data.length',
        "payload.data.length",
    ),
    "lists": ({"type": "array", "items": {"$ref": "#"}}, "payload[0]?.[0]?.length", "payload[0].toFixed()"),
    "logic": (
        {
            "oneOf": [
                {"type": "string"},
                {
                    "type": "array",
                    "prefixItems": [{"enum": ["and", "or"]}, {"$ref": "#"}, {"$ref": "#"}],
                    "minItems": 3,
                    "items": False,
                },
            ]
        },
        'typeof payload === "string" || payload[1].length',
        'typeof payload === "string" || payload[3]',
    ),
    "crowd": (
        {
            "$ref": "#/$defs/d0",
            "$defs": {
                f"d{n}": {"properties": {f"to{other}": {"$ref": f"#/$defs/d{other}"} for other in range(60)}}
                for n in range(60)
            },
        },
        "payload.to3?.to59?.to0",
        "payload.to3?.to60",
    ),
}


def test_payloads_that_hold_their_like_are_typed_as_such(tmp_path: Path) -> None:
    functions = queues(tmp_path, {name: schema for name, (schema, _, _) in RECURSIVE.items()})
    for name, (_, right, wrong) in RECURSIVE.items():
        (functions / name / "handler.ts").write_text(
            'import type { Payload } from "./workload.gen.ts";\n\n'
            f"export const typed = (payload: Payload) => {right};\n"
            "// @ts-expect-error the schema does not say so\n"
            f"export const mistyped = (payload: Payload) => {wrong};\n"
            "export default (payload: Payload) => typed(payload);\n"
        )
    assert type_errors(functions) == ""


def test_a_schema_as_deep_as_may_be_is_typed(tmp_path: Path) -> None:
    schema: Any = {"type": "string"}
    for level in range(MAX_DEPTH - 2):
        word = "items" if level % 2 else "additionalProperties"
        schema = {"type": ["array" if level % 2 else "object", "null"], word: schema}
    functions = queues(tmp_path, {"deep": schema})
    assert complaints(functions) == ""
    assert type_errors(functions) == ""


def test_types_of_a_schema_take_no_name_that_is_given(tmp_path: Path) -> None:
    """The names that a generated file gives by itself are found in one, and then asked for by a schema."""
    files = pipeline.emit_functions(load(EACH_KIND, tmp_path / "plain", some={"type": "object"}))
    generated = "".join(text for path, text in files.items() if path.endswith(".gen.ts"))
    given = set(re.findall(r"\b(?:type|const) (\w+)\b", generated))
    given |= {"Context", "QueueWorkload", "PipelineWorkload", "CallWorkload", "handlers"}
    assert {"Payload", "Payloads", "CollectPayload", "Answers", "Typed", "workload"} <= given
    defs = {name: {"properties": {"a": {"type": "string"}}} for name in sorted(given)}
    defs |= {name.removeprefix("Payload"): schema for name, schema in defs.items() if name != "Payload"}
    schema = {"properties": {name: {"$ref": f"#/$defs/{name}"} for name in defs}, "$defs": defs}
    functions = write_functions(load(EACH_KIND, tmp_path / "spec", some=schema), tmp_path)
    assert complaints(functions) == ""
    assert type_errors(functions) == ""


@pytest.mark.parametrize("name", ["constructor", "toString", "hasOwnProperty"])
def test_objects_that_differ_in_what_every_object_has(name: str, tmp_path: Path) -> None:
    """TypeScript refuses such a list where it makes up a type for it."""
    differing: list[Any] = [
        {"type": "object", "properties": {name: {"type": "string"}}},
        {"type": "object", "properties": {"other": {"type": "string"}}},
    ]
    nested: Any = {"oneOf": differing}
    for _ in range(24):
        nested = {"properties": {"next": nested}}
    schema = {"oneOf": [*differing, nested]}
    functions = write_functions(load(EACH_KIND, tmp_path / "spec", some=schema), tmp_path)
    assert "const part1" in (functions / "queue/workload.gen.ts").read_text()
    assert complaints(functions) == ""
    assert type_errors(functions) == ""


def test_a_schema_that_says_nothing_is_typed_as_nothing(tmp_path: Path) -> None:
    functions = queues(tmp_path, {"all": {}, "none": {"allOf": [False]}, "short": {"maxLength": 3}})
    for name, known in (("all", "unknown"), ("none", "never"), ("short", "unknown")):
        (functions / name / "handler.ts").write_text(
            f"export default (payload: {known}): unknown => payload;\n"
        )
    assert type_errors(functions) == ""
