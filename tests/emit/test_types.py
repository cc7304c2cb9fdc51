"""Payload types: what a schema becomes, and that valid payloads have the type and others have not."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from deno_tool import complaints, deno, write

from orchestra.emit.functions.type_text import declarations
from orchestra.emit.functions.types import declared_by


def typed(schema: Any) -> str:
    return declarations(declared_by(schema, "Payload"))


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (True, "unknown"),
        ({}, "unknown"),
        (False, "never"),
        ({"type": "integer", "minimum": 1}, "number"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"enum": ["a", 1, None, True, "it's"]}, '"a" | 1 | null | true | "it\'s"'),
        ({"const": 'say "hi"'}, "'say \"hi\"'"),
        ({"const": 1e21}, "number"),
        ({"const": -1.0}, "-1"),
        ({"type": "array"}, "unknown[]"),
        ({"items": {"type": "string"}}, "string[]"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "PayloadItem[]"),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]},
            "[string?, number?, ...unknown[]]",
        ),
        (
            {"type": "array", "prefixItems": [{"type": "string"}], "items": False, "minItems": 1},
            "[string]",
        ),
        (
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "items": [{"type": "null"}],
                "additionalItems": False,
            },
            "[null?]",
        ),
        ({"type": "object"}, "Record<string, unknown>"),
        ({"type": "object", "additionalProperties": False}, "Record<string, never>"),
        ({"additionalProperties": {"type": "number"}}, "Record<string, number>"),
        ({"anyOf": [{"type": "string"}, {}]}, "unknown"),
        ({"allOf": [{"type": "string"}, {"minLength": 3}]}, "string"),
        ({"oneOf": [{"type": "string"}, {"type": "string"}]}, "string"),
        ({"minLength": 3}, "unknown"),
        ({"$ref": "#"}, "unknown"),
        ({"anyOf": [{"$ref": "#"}, {"type": "null"}]}, "unknown"),
        ({"$ref": "#nowhere"}, "unknown"),
    ],
)
def test_a_simple_schema(schema: Any, text: str) -> None:
    assert typed(schema).startswith(f"export type Payload = {text};\n")


def test_an_object_shows_its_fields_and_what_is_said_of_them() -> None:
    schema = {
        "title": "A product",
        "type": "object",
        "required": ["sku", "maker"],
        "properties": {
            "sku": {"type": "string", "description": "As printed on the box."},
            "price": {"type": "number"},
            "sizes": {"type": "array", "items": {"type": "object", "properties": {"cm": {"type": "number"}}}},
        },
    }
    assert (
        typed(schema)
        == """\
/** A product */
export type Payload = {
  /** As printed on the box. */
  sku: string;
  price?: number;
  sizes?: {
    cm?: number;
  }[];
  maker: unknown;
};
"""
    )


def test_references_become_named_types_that_may_refer_to_themselves() -> None:
    schema = {
        "$ref": "#/$defs/tree",
        "$defs": {
            "tree": {"properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}},
            "unused": {"type": "string"},
        },
    }
    assert (
        typed(schema)
        == """\
export type Payload = PayloadTree;

export type PayloadTree = {
  kids?: PayloadTree[];
};
"""
    )


def test_a_chain_of_references_may_be_of_any_length() -> None:
    links = 2_000
    defs: dict[str, Any] = {
        f"d{n}": {"properties": {"next": {"$ref": f"#/$defs/d{n + 1}"}}} for n in range(links)
    }
    text = typed({"$ref": "#/$defs/d0", "$defs": {**defs, f"d{links}": {"type": "string"}}})
    assert text.startswith("export type Payload = PayloadD0;\n")
    assert f"export type PayloadD{links - 1} = {{\n  next?: PayloadD{links};\n}};\n" in text
    assert text.endswith(f"export type PayloadD{links} = string;\n")


VALID_AND_NOT: list[tuple[Any, list[Any], list[Any]]] = [
    (
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        [{"a": ""}],
        [{}, {"a": 1}, 7],
    ),
    (
        {
            "oneOf": [
                {"properties": {"k": {"const": "a"}, "n": {"type": "number"}}, "required": ["k"]},
                {"type": "null"},
            ]
        },
        [{"k": "a"}, {"k": "a", "n": 1}, None],
        [{"k": "b"}, {"n": 1}, "a"],
    ),
    (
        {
            "allOf": [
                {"properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"properties": {"b": {"type": "null"}}},
            ]
        },
        [{"a": "x"}, {"a": "x", "b": None}],
        [{"b": None}, {"a": "x", "b": 1}],
    ),
    (
        {
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        [{"a": ""}, {"b": ""}, {"a": "", "b": ""}],
        [{}, {"a": 1}],
    ),
    (
        {
            "type": "array",
            "prefixItems": [{"type": "string"}, {"type": "number"}],
            "items": {"type": "null"},
            "minItems": 1,
        },
        [["a"], ["a", 1], ["a", 1, None]],
        [[], [1], ["a", None], ["a", 1, 2]],
    ),
    (
        {"patternProperties": {"^x": {"type": "string"}}, "additionalProperties": False},
        [{}, {"x": "y"}],
        [{"x": 1}],
    ),
    (
        {"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "number"}},
        [{"a": "x", "other": 1}],
        [{"a": 1}],
    ),
    (
        {
            "$defs": {"n": {"type": "object", "additionalProperties": {"$ref": "#/$defs/n"}}},
            "$ref": "#/$defs/n",
        },
        [{}, {"a": {"b": {}}}],
        [{"a": 1}, {"a": {"b": ""}}],
    ),
    ({"$anchor": "me", "properties": {"up": {"$ref": "#me"}}}, [{"up": {"up": {}}}], [{"up": 1}]),
    ({"const": {"a": [1, {"b": None}]}}, [{"a": [1, {"b": None}]}], [{"a": [1, {"b": 2}]}, {"a": [1]}]),
    (
        {"properties": {"__proto__": {"type": "string"}, "it's": {"type": "null"}}},
        [{"it's": None}],
        [{"it's": 1}],
    ),
    (
        {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "type": "number",
            "minimum": 1,
            "exclusiveMinimum": True,
        },
        [2],
        ["2"],
    ),
    ({"properties": {"no": False, "any": True}}, [{"any": 1}, {"any": None}], [{"no": 1}]),
    (
        {
            "type": "object",
            "unevaluatedProperties": False,
            "allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}],
        },
        [{"a": "x"}],
        [{}, {"a": 1}],
    ),
    (
        {
            "$defs": {"base": {"properties": {"a": {"type": "string"}}, "required": ["a"]}},
            "$ref": "#/$defs/base",
            "properties": {"b": {"type": "null"}},
            "unevaluatedProperties": {"type": "number"},
        },
        [{"a": "x"}, {"a": "x", "b": None}],
        [{"b": None}, {"a": 1}],
    ),
    (
        {
            "type": "object",
            "unevaluatedProperties": False,
            "if": {"properties": {"a": {"const": 1}}},
            "then": {"properties": {"b": True}},
        },
        [{"a": 1}, {"a": 1, "b": 2}],
        ["a"],
    ),
    (
        {"type": "object", "unevaluatedProperties": {"type": "number"}},
        [{}, {"a": 1}],
        [{"a": "x"}],
    ),
    (
        {"properties": {"a": {"type": "string"}}, "unevaluatedProperties": False},
        [{}, {"a": "x"}],
        [{"a": 1}, {"a": "x", "b": 1}],
    ),
    (
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "unevaluatedProperties": False,
        },
        [{"a": "x"}],
        ["a"],
    ),
]


def test_valid_payloads_have_the_type_and_others_have_not(tmp_path: Path) -> None:
    """Each `@ts-expect-error` is itself an error where the line below it compiles."""
    files = {}
    for number, (schema, valid, invalid) in enumerate(VALID_AND_NOT):
        lines = [typed(schema)]
        lines += [f"export const valid{n}: Payload = {json.dumps(p)};" for n, p in enumerate(valid)]
        lines += [
            f"// @ts-expect-error {json.dumps(p)}\nexport const invalid{n}: Payload = {json.dumps(p)};"
            for n, p in enumerate(invalid)
        ]
        files[f"case{number}.ts"] = "\n".join(lines) + "\n"
    done = deno("check", *files, cwd=write(files, tmp_path))
    assert done.returncode == 0, done.stderr


def test_any_schema_becomes_types_that_compile(tmp_path: Path) -> None:
    """300 schemas drawn at random, with circles of references, clashing names and names that are too long."""
    draw = _Draw(random.Random(7))
    files = {f"case{n}.ts": typed(draw.whole()) for n in range(300)}
    write({**files, "deno.json": "{}\n"}, tmp_path)
    assert complaints(tmp_path) == ""
    done = deno("check", *files, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


class _Draw:
    NAMES = (
        *(
            "id",
            "sku",
            "a-b",
            "größe",
            "日本語",
            "it's",
            'say "hi"',
            "*/",
            "__proto__",
            "constructor",
            "x y",
            "\n",
            "😀",
        ),
        *("@ts-ignore", "deno-fmt-ignore", "string", "Record", "", "1", "a" * 30, "b" * 79, "c" * 120),
    )
    DEFS = ("A", "B", "tree", "größe", "a b", "Payload", "Record")
    TEXTS = ("what it is", "*/ evil", "@ts-nocheck", "deno-fmt-ignore", "long " * 40, "deno-lint-ignore-file")

    def __init__(self, by: random.Random) -> None:
        self._by = by

    def whole(self) -> Any:
        schema = self.schema(self._by.randint(1, 7))
        named = {name: self.schema(self._by.randint(0, 4)) for name in self.DEFS}
        return {**(schema if isinstance(schema, dict) else {}), "$defs": named}

    def schema(self, depth: int) -> Any:
        draw = self._leaf if depth <= 0 else self._by.choice((self._leaf, *[self._branch] * 3))
        schema = draw(depth - 1)
        if isinstance(schema, dict) and self._by.random() < 0.2:
            schema = {**schema, "description": self._by.choice(self.TEXTS)}
        return schema

    def _leaf(self, depth: int) -> Any:
        one = self._by.choice
        name = one(self.NAMES)
        return one(
            (
                *(
                    {"type": "string"},
                    {"type": "integer"},
                    {"type": ["string", "null"]},
                    {"minLength": 3},
                    {},
                    True,
                    False,
                ),
                {"enum": [one(self.NAMES) for _ in range(self._by.randint(1, 6))]},
                {"enum": [1, "a", None, {"x": 1}, [1, 2]]},
                {"const": one((1, -1, 0.5, None, True, name, [1, {"a": 2}], {name: name}, 1e21, 10**30))},
            )
        )

    def _branch(self, depth: int) -> Any:
        one, many = self._by.choice, self._by.randint
        names = [one(self.NAMES) for _ in range(many(0, 5))]
        return one(
            (
                lambda: {"type": "array", "items": self.schema(depth)},
                lambda: {
                    "prefixItems": [self.schema(depth) for _ in range(many(1, 4))],
                    "items": self.schema(depth),
                },
                lambda: {one(("oneOf", "anyOf")): [self.schema(depth) for _ in range(many(1, 4))]},
                lambda: {"allOf": [self.schema(depth) for _ in range(many(1, 3))]},
                lambda: {"$ref": "#/$defs/" + one(self.DEFS).replace(" ", "%20")},
                lambda: {"$ref": "#"},
                lambda: {"type": "object", "additionalProperties": self.schema(depth)},
                lambda: {"patternProperties": {"^x": self.schema(depth)}},
                *[
                    lambda: {
                        "type": one(("object", ["object", "null"])),
                        "properties": {name: self.schema(depth) for name in names},
                        "required": names[: many(0, 5)],
                        **one(({}, {"additionalProperties": False}, {"additionalProperties": True})),
                    }
                ]
                * 4,
            )
        )()
