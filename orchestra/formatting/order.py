"""The order of keys: that of the schema, but for a few that read better elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from orchestra.spec.schema import schema
from orchestra.spec.tree import MERGE

_FIRST: Final = ("depends_on", "map", "typical")
"""What a step waits for comes before what it costs, and the usual before the worst."""
_LAST: Final = ("run", "steps")
"""They take the most lines."""
_UNKNOWN: Final = 10_000


class Shape:
    """What the schema says of one place. Where it offers alternatives, all of them count."""

    def __init__(self, *schemas: Mapping[str, Any]) -> None:
        self._schemas = tuple(found for one in schemas for found in _resolved(one))
        names: dict[str, None] = {}
        for one in self._schemas:
            names |= dict.fromkeys(one.get("properties", ()))
        self._ranks = {name: number for number, name in enumerate(names)}
        self._below: dict[str, Shape] = {}
        self._items: Shape | None = None

    def rank(self, name: str) -> int:
        """Where a key comes among its neighbours; keys that may have any name keep their order."""
        if name == MERGE:
            return -2 * _UNKNOWN
        if name not in self._ranks:
            return _UNKNOWN
        if name in _FIRST:
            return _FIRST.index(name) - _UNKNOWN
        if name in _LAST:
            return _LAST.index(name) + 2 * _UNKNOWN
        return self._ranks[name]

    def of(self, name: str) -> Shape:
        """The shape of what stands behind a key."""
        known = name if name in self._ranks else ""
        if known not in self._below:
            named = [s["properties"][name] for s in self._schemas if name in s.get("properties", ())]
            free = [s["additionalProperties"] for s in self._schemas if "additionalProperties" in s]
            self._below[known] = Shape(*_objects(named or free))
        return self._below[known]

    def item(self) -> Shape:
        """The shape of the items of a list."""
        if self._items is None:
            self._items = Shape(*_objects(s["items"] for s in self._schemas if "items" in s))
        return self._items


@cache
def spec_shape() -> Shape:
    """The shape of a spec."""
    return Shape(schema())


def _objects(found: Any) -> list[Mapping[str, Any]]:
    return [one for one in found if isinstance(one, dict)]


def _resolved(one: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in one:
        yield from _resolved(schema()["$defs"][one["$ref"].removeprefix("#/$defs/")])
    yield one
    for word in ("anyOf", "oneOf", "allOf"):
        for branch in one.get(word, ()):
            yield from _resolved(branch)
