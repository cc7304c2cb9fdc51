"""Types that have a name, in the order in which they are declared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from orchestra.emit.functions.type_nodes import UNKNOWN, Both, Either, Name, Type, at_once, both, either

_LONGEST: Final = 30
"""Characters of a name that is made up."""


@dataclass
class Declared:
    """`docs` are their comments. Names that are made up begin with `prefix`, so that they hide none of TypeScript's,
    and are none of those that are `taken`."""

    prefix: str
    types: dict[str, Type] = field(default_factory=dict)
    docs: dict[str, str] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    _parts: dict[Type, Name] = field(default_factory=dict)

    def part(self, node: Type, hint: str) -> Name:
        """The name of a type that cannot stand where it is needed; equal ones share a name."""
        if node not in self._parts:
            name = self.reserve(hint)
            self.types[name.text], self._parts[node] = node, name
        return self._parts[node]

    def reserve(self, hint: str) -> Name:
        """A name for a type that is known later: it may refer to itself."""
        words = "".join(w[:1].upper() + w[1:] for w in re.findall(r"[A-Za-z0-9]+", hint))
        base = (words if words.startswith(self.prefix) else self.prefix + words)[:_LONGEST]
        base = f"{base}Part" if base == self.prefix else base
        name, number = base, 1
        while name in self.types or name in self.taken:
            number += 1
            name = f"{base}{number}"
        self.types[name] = UNKNOWN
        return Name(name)

    def cut_circles(self) -> None:
        """TypeScript cannot know a type that is itself, or a union with itself: there, nothing is said."""
        done: set[str] = set()
        for start in list(self.types):
            way: list[str] = []
            stack = [(start, True)]
            while stack:
                name, entering = stack.pop()
                if not entering:
                    done.add(way.pop())
                elif name not in done:
                    way.append(name)
                    stack.append((name, False))
                    self.types[name] = _without(self.types[name], frozenset(way))
                    inner = (one.text for one in at_once(self.types[name]) if isinstance(one, Name))
                    stack.extend((one, True) for one in inner if one not in done)


def _without(node: Type, names: frozenset[str]) -> Type:
    match node:
        case Name(text):
            return UNKNOWN if text in names else node
        case Either(of):
            return either(_without(one, names) for one in of)
        case Both(of):
            return both(_without(one, names) for one in of)
        case _:
            return node
