"""A payload's JSON Schema as TypeScript types.

Every payload that the schema lets in has the type, and the type says as much as TypeScript can: what a type cannot
say (lengths, patterns, conditions) the door checks. Where a schema describes an object without writing
`type: object`, the type is that object.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from orchestra.emit.functions.declared import Declared
from orchestra.emit.functions.type_nodes import (
    BOOLEAN,
    NEVER,
    NULL,
    NUMBER,
    STRING,
    UNKNOWN,
    Many,
    Member,
    Name,
    Row,
    Shape,
    Type,
    both,
    either,
    exactly,
)
from orchestra.ir.program import Json

_OLD_DRAFTS: Final = ("draft-04", "draft-06", "draft-07")
_WORDS: Final = {"string": STRING, "number": NUMBER, "integer": NUMBER, "boolean": BOOLEAN, "null": NULL}
_OF_OBJECTS: Final = frozenset({"properties", "required", "additionalProperties", "patternProperties"})
_OF_ARRAYS: Final = frozenset({"items", "prefixItems"})
_SPEAKING: Final = frozenset(
    {"allOf", "anyOf", "oneOf", "$ref", "$dynamicRef", "$recursiveRef", "if", "dependentSchemas"}
)
"""Keywords by which other schemas have their say about the same object."""


def declared_by(
    schema: Json, root: str, others: Sequence[tuple[str, Type]] = (), taken: frozenset[str] = frozenset()
) -> Declared:
    """The type `root` of what the schema lets in, or of one of `others`, with all that it needs. Where it is a choice,
    the others get the names that stand with them."""
    declared = Declared(root, {root: UNKNOWN}, {root: doc_of(schema)}, taken)
    own = Reader(schema, declared, root).read()
    alone = own == NEVER and len(others) == 1
    declared.types[root] = either(
        [own, *(node if alone else declared.part(node, hint) for hint, node in others)]
    )
    declared.cut_circles()
    return declared


class Reader:
    """Reads one schema. Types that it refers to are declared by their names; the schema's own is `root`."""

    def __init__(self, schema: Json, declared: Declared, root: str) -> None:
        self._schema = schema
        self._declared = declared
        self._old = isinstance(schema, dict) and any(d in str(schema.get("$schema")) for d in _OLD_DRAFTS)
        self._anchors: dict[str, Json] = {}
        self._named: dict[str, Name] = {"": Name(root)}
        self._waiting: deque[tuple[Name, Json]] = deque()
        self._find_anchors(schema)

    def read(self) -> Type:
        own = self._type(self._schema)
        while self._waiting:
            name, schema = self._waiting.popleft()
            self._declared.types[name.text] = self._type(schema)
            self._declared.docs[name.text] = doc_of(schema)
        return own

    def _type(self, schema: Json) -> Type:
        if not isinstance(schema, dict):
            return NEVER if schema is False else UNKNOWN
        referred = [self._reference(str(schema[k])) for k in ("$ref", "$dynamicRef") if k in schema]
        if "$recursiveRef" in schema:
            referred.append(self._named[""])
        if referred and self._old:
            return referred[0]
        parts = [*referred, self._own(schema)]
        parts += [self._type(one) for one in _list(schema.get("allOf"))]
        for word in ("anyOf", "oneOf"):
            if branches := _list(schema.get(word)):
                parts.append(either(self._type(one) for one in branches))
        return both(parts)

    def _own(self, schema: Mapping[str, Json]) -> Type:
        """What a schema says by itself, without those that it combines."""
        if "const" in schema:
            return exactly(schema["const"])
        if "enum" in schema:
            return either(exactly(one) for one in _list(schema["enum"]))
        declared = schema.get("type")
        kinds = [declared] if isinstance(declared, str) else [str(k) for k in _list(declared)]
        if not kinds:
            kinds = ["object"] if _OF_OBJECTS & schema.keys() else []
            kinds += ["array"] if _OF_ARRAYS & schema.keys() else []
        return either(self._kind(kind, schema) for kind in kinds) if kinds else UNKNOWN

    def _kind(self, kind: str, schema: Mapping[str, Json]) -> Type:
        if kind == "object":
            return self._object(schema)
        return self._array(schema) if kind == "array" else _WORDS.get(kind, UNKNOWN)

    def _object(self, schema: Mapping[str, Json]) -> Type:
        properties = _dict(schema.get("properties"))
        needed = [str(name) for name in _list(schema.get("required"))]
        patterns = _dict(schema.get("patternProperties"))
        more = schema.get("additionalProperties", self._unevaluated(schema))
        others = self._more(more)
        by_pattern = [self._type(one) for one in patterns.values()]
        members = [
            Member(name, self._type(one), optional=name not in needed, doc=doc_of(one))
            for name, one in properties.items()
        ]
        undeclared = UNKNOWN if patterns else others
        members += [Member(name, undeclared) for name in dict.fromkeys(needed) if name not in properties]
        if not members:
            return Shape(rest=either([*by_pattern, others]))
        # Beside properties, others are shown only where the schema speaks of them: else each misspelt name would do.
        spoken_of = patterns or more not in (None, False)
        return Shape(tuple(members), UNKNOWN if spoken_of else None)

    def _unevaluated(self, schema: Mapping[str, Json]) -> Json:
        """What is said of properties that nobody speaks of; nothing where schemas beside it may speak of some."""
        if self._old or _SPEAKING & schema.keys():
            return None
        return schema.get("unevaluatedProperties")

    def _more(self, schema: Json) -> Type:
        return UNKNOWN if schema is None else self._type(schema)

    def _array(self, schema: Mapping[str, Json]) -> Type:
        items = schema.get("items")
        first, more = schema.get("prefixItems"), items
        if isinstance(items, list):
            first, more = items, schema.get("additionalItems")
        if not isinstance(first, list) or not first:
            return Many(self._more(more))
        rest = self._more(more)
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        closed = rest == NEVER or (isinstance(most, int) and most <= len(first))
        needed = min(int(least), len(first)) if isinstance(least, int | float) else 0
        return Row(tuple(self._type(one) for one in first), needed, None if closed else rest)

    def _reference(self, target: str) -> Type:
        """The named type behind a local reference; unknown where it leads nowhere that can be followed. What it refers
        to is read later: it may refer to itself, and a chain of references may be of any length."""
        pointer = unquote(target.removeprefix("#"))
        if pointer not in self._named:
            found, schema = self._look_up(pointer)
            if not found:
                return UNKNOWN
            name = self._named[pointer] = self._declared.reserve(pointer.rpartition("/")[2])
            self._waiting.append((name, schema))
        return self._named[pointer]

    def _look_up(self, pointer: str) -> tuple[bool, Json]:
        if not pointer.startswith("/"):
            return pointer in self._anchors, self._anchors.get(pointer)
        node: Any = self._schema
        for part in pointer[1:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and name in node:
                node = node[name]
            elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            else:
                return False, None
        return isinstance(node, dict | bool), node

    def _find_anchors(self, node: Json) -> None:
        for one in _inside(node):
            for word in ("$anchor", "$dynamicAnchor", "$id", "id"):
                name = one.get(word)
                if isinstance(name, str) and ("nchor" in word or name.startswith("#")):
                    self._anchors.setdefault(name.removeprefix("#"), one)


def _inside(node: Json) -> Iterator[dict[str, Json]]:
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            yield one
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)


def doc_of(schema: Json) -> str:
    if not isinstance(schema, dict):
        return ""
    said = [schema[word] for word in ("title", "description") if isinstance(schema.get(word), str)]
    return "\n\n".join(str(one) for one in said)


def _list(item: Json) -> list[Json]:
    return item if isinstance(item, list) else []


def _dict(item: Json) -> dict[str, Json]:
    return item if isinstance(item, dict) else {}
