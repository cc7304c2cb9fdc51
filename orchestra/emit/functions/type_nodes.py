"""TypeScript types as values, between the schema that they come from and their text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestra.emit.functions.text import string
from orchestra.ir.program import Json


@dataclass(frozen=True, slots=True)
class Word:
    """A keyword or a literal."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A type that is declared by itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    type: Type
    optional: bool = False
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """An object. `rest` is what its other properties are, None where it has none that a handler should know of."""

    members: tuple[Member, ...] = ()
    rest: Type | None = None


@dataclass(frozen=True, slots=True)
class Many:
    """An array of any length."""

    of: Type


@dataclass(frozen=True, slots=True)
class Row:
    """An array whose first places have types of their own, the last of which may be missing."""

    places: tuple[Type, ...]
    needed: int
    rest: Type | None = None


@dataclass(frozen=True, slots=True)
class Either:
    of: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Both:
    of: tuple[Type, ...]


Type = Word | Name | Shape | Many | Row | Either | Both

UNKNOWN = Word("unknown")
ANY = Word("any")
"""For what only the database knows, as clients of databases have it; every other gap is `unknown`."""
NEVER = Word("never")
NULL = Word("null")
STRING = Word("string")
NUMBER = Word("number")
BOOLEAN = Word("boolean")
# Beyond it, a number means another one in JavaScript.
_SAFE = 2**53


def either(types: Iterable[Type]) -> Type:
    """A union, as short as it can be said."""
    found: dict[Type, None] = {}
    for one in types:
        found.update(dict.fromkeys(one.of if isinstance(one, Either) else (one,)))
    if UNKNOWN in found:
        return UNKNOWN
    found.pop(NEVER, None)
    kept = tuple(found)
    return kept[0] if len(kept) == 1 else Either(kept) if kept else NEVER


def both(types: Iterable[Type]) -> Type:
    """An intersection; objects without a property in common become one object."""
    kept: list[Type] = []
    for one in types:
        for part in one.of if isinstance(one, Both) else (one,):
            if part == NEVER:
                return NEVER
            if part == UNKNOWN or part in kept:
                continue
            place = next((i for i, k in enumerate(kept) if _apart(k, part)), None)
            if place is None:
                kept.append(part)
            else:
                kept[place] = _joined(kept[place], part)
    return kept[0] if len(kept) == 1 else Both(tuple(kept)) if kept else UNKNOWN


def _apart(one: Type, other: Type) -> bool:
    if not isinstance(one, Shape) or not isinstance(other, Shape) or one.rest != other.rest:
        return False
    return one.rest in (None, UNKNOWN) and not {m.name for m in one.members} & {m.name for m in other.members}


def _joined(one: Type, other: Type) -> Type:
    assert isinstance(one, Shape)
    assert isinstance(other, Shape)
    return Shape((*one.members, *other.members), one.rest)


def exactly(item: Json) -> Type:
    """The type that has this one value."""
    match item:
        case None:
            return NULL
        case bool():
            return Word("true" if item else "false")
        case int() | float():
            text = repr(int(item) if item == int(item) else item) if abs(item) < _SAFE else ""
            return Word(text) if text and "e" not in text else NUMBER
        case str():
            return Word(string(item))
        case list():
            return Row(tuple(exactly(one) for one in item), len(item))
        case dict():
            return Shape(tuple(Member(name, exactly(one)) for name, one in item.items()))


def at_once(node: Type) -> Iterator[Type]:
    """The types that TypeScript has to know to know `node`: not those inside objects and arrays."""
    if isinstance(node, Either | Both):
        for one in node.of:
            yield from at_once(one)
    else:
        yield node
