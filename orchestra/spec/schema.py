"""The JSON Schema of a spec, and a fast verdict whether data keeps to it; `explain.py` says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import jsonschema_rs

from orchestra.spec import shipped
from orchestra.spec.tree import Data

SCHEMA_FILE: Final = "orchestra.v1.schema.json"


@cache
def schema_text() -> str:
    """The text of the schema of a spec."""
    return shipped.text(SCHEMA_FILE)


@cache
def schema() -> Mapping[str, Any]:
    """The schema as written."""
    loaded: Mapping[str, Any] = json.loads(schema_text())
    return loaded


def part(name: str) -> Mapping[str, Any]:
    """The schema of one `$defs` entry, able to stand alone."""
    return {"$ref": f"#/$defs/{name}", "$defs": schema()["$defs"]}


@cache
def file_schema() -> Mapping[str, Any]:
    """What one file of several must keep to: `version` and `project` may stand in another."""
    return {key: value for key, value in schema().items() if key != "required"}


@cache
def top_schema() -> Mapping[str, Any]:
    """The same without looking into `workloads`, which are judged one by one."""
    whole = file_schema()
    workloads = {**whole["properties"]["workloads"], "additionalProperties": True, "propertyNames": True}
    return {**whole, "properties": {**whole["properties"], "workloads": workloads}}


@cache
def _validator(which: Callable[[], Mapping[str, Any]]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(dict(which()))


@cache
def workload_schema() -> Mapping[str, Any]:
    """One workload."""
    return part("workload")


@cache
def names_schema() -> Mapping[str, Any]:
    """The names of a file's workloads."""
    names = {"type": "object", "propertyNames": {"$ref": "#/$defs/workload_name"}}
    return {"properties": {"workloads": names}, "$defs": schema()["$defs"]}


def file_is_valid(data: Data) -> bool:
    """Whether a whole file keeps to the schema."""
    return bool(_validator(file_schema).is_valid(data))


def top_is_valid(data: Data) -> bool:
    """Whether a file keeps to the schema but for the inside of its workloads."""
    return bool(_validator(top_schema).is_valid(data))


def known_sections(data: Data) -> Data:
    """A file without the keys at its top that no spec has."""
    sections = file_schema()["properties"]
    return {k: v for k, v in data.items() if k in sections} if isinstance(data, dict) else data


def names_are_valid(data: Data) -> bool:
    """Whether the workloads of a file have names that can be used."""
    return bool(_validator(names_schema).is_valid(data))


def workload_is_valid(data: Data) -> bool:
    """Whether one workload keeps to the schema."""
    return bool(_validator(workload_schema).is_valid(data))
