"""Specs for the tests of what is emitted: the examples, and one that is as hostile as the schema allows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestra import library
from orchestra.spec.model import Spec

ROOT = Path(__file__).parents[2]
EXAMPLES = {
    folder.name: tuple(
        file
        for file in (folder / "orchestra.yaml", folder / "edge.yaml")
        # This one's edge.yaml stands in the place of its orchestra.yaml.
        if file.exists() and (folder.name, file.name) != ("embeddings", "orchestra.yaml")
    )
    for folder in sorted((ROOT / "examples").iterdir())
    if (folder / "edge.yaml").exists()
}

LONGEST = "a" * 40 + "-bcdefg"
PIPELINE = f"""
    trigger: [manual, {{http: {{auth: jwt}}}}]
    fan_out: {{max: 7}}
    payload_schema: ./payload.json
    steps:
      default: {{duration: {{max: 5s}}}}
      send-mail: {{depends_on: [default], map: default, duration: {{max: 5s}}, failure_policy: continue}}
      send_mail: {{depends_on: [send-mail], map: send-mail, duration: {{max: 5s}}}}
      {LONGEST}: {{depends_on: [send-mail, default], duration: {{max: 5s}}, failure_policy: continue}}
      {LONGEST[:-1]}h: {{depends_on: [{LONGEST}, send_mail], duration: {{max: 5s}}}}
      constructor: {{depends_on: [{LONGEST}], map: {LONGEST}, duration: {{max: 5s}}}}
      a-: {{depends_on: [constructor], duration: {{max: 5s}}}}
      a--b: {{depends_on: [a-], duration: {{max: 5s}}}}
      payload: {{duration: {{max: 5s}}}}
"""
HOSTILE = f"""\
version: 1
project: shop
secrets:
  hook: {{vault: 'quote''s "\\\\ `${{x}} */'}}
workloads:
  {LONGEST}:
    summary: "@ts-nocheck */ `${{alert(1)}}` // deno-lint-ignore-file \\u202e\\u2028 ’quoted’ 日本語 😀"
    trigger: {{http: {{auth: {{hmac: {{header: X-Sig, secret: hook, scheme: standard-webhooks}}}}}}}}
    duration: {{max: 10s}}
    payload_schema: ./payload.json
  by-github:
    summary: "deno-fmt-ignore-file"
    trigger: {{http: {{auth: {{hmac: {{header: X-Sig, secret: hook, scheme: github}}}}}}}}
    duration: {{max: 10s}}
    fan_out: {{max: 10000000}}
  open-call:
    trigger: {{http: {{auth: jwt}}}}
    duration: {{max: 10s}}
  changes:
    summary: "  lines\\n\\n   and paragraphs  \\n"
    trigger:
      - {{table: {{name: [public, "odd \\"name\\""], on: [delete, insert], payload: new}}}}
      - {{schedule: {{cron: "0 3 * * *"}}}}
    duration: {{max: 10s}}
  steps:{PIPELINE}"""

DOOR = """
  taken-in:
    trigger: {http: {auth: secret}}
    duration: {max: 5s}
    run: {sql: "select 1 where $1 is not null"}
    payload_schema: ./payload.json
"""


def payload_schema() -> dict[str, Any]:
    """Recursive, quoted, deep, large: about 60 KB."""
    deep: dict[str, Any] = {"type": "string"}
    for level in range(28):
        deep = {
            "type": "object",
            "required": ["next"],
            "properties": {"next": deep, f"at{level}": {"type": "null"}},
        }
    fields = {
        f"field_{n}": {
            "type": "object",
            "description": f'Field {n} of "many", with `backticks`, ${{braces}} and */ a comment\'s end',
            "properties": {"kind": {"enum": [f"kind-{n}-{i}" for i in range(8)]}, "n": {"type": "integer"}},
            "required": ["kind"],
        }
        for n in range(150)
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "*/ @ts-ignore",
        "description": "deno-lint-ignore-file no-explicit-any",
        "type": "object",
        "required": ["sku", "tree", "missing"],
        "properties": {
            "sku": {
                "type": "string",
                "pattern": "^[A-Z]{3}-\\d+\"'`\\u2028$",
                "description": "@ts-expect-error",
            },
            "tree": {"$ref": "#/$defs/tree"},
            "any tree": {"anyOf": [{"$ref": "#/$defs/tree"}, {"$ref": "#"}, {"type": "null"}]},
            'it\'s "quoted"': {"type": "number"},
            "größe": {"type": ["number", "null"]},
            "日本語": {"const": "値"},
            "__proto__": {"type": "object", "properties": {"polluted": {"const": True}}},
            "constructor": {"type": "string"},
            "k" * 90: {"type": "string", "maxLength": 3},
            "": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
            "deep": deep,
            "escaped": {"$ref": "#/$defs/a~1b%20c"},
            "payload": {
                "oneOf": [{"type": "object", "properties": {"name like a step's": {"type": "null"}}}, True]
            },
            "nested": {"allOf": [{"$ref": "#/$defs/payload"}]},
        },
        "$defs": {
            "tree": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
                },
            },
            "a/b c": {"oneOf": [{"type": "boolean"}, {"$ref": "#/$defs/loop"}]},
            "loop": {"$ref": "#/$defs/loop"},
            "payload": {"type": "object", "properties": {"name like that of a step's": {"type": "null"}}},
            "fields": {"type": "object", "properties": fields},
        },
    }


def load(text: str, folder: Path, **payloads: object) -> Spec:
    """A spec from its text, with payload schemas by name; `payload` is the hostile one unless it is given."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in {"payload": payload_schema(), **payloads}.items():
        (folder / f"{name}.json").write_text(json.dumps(schema), encoding="utf-8")
    (folder / "orchestra.yaml").write_text(text, encoding="utf-8")
    return library.load(folder / "orchestra.yaml")
