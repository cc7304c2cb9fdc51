"""Strict reading of a JSON object: every key is asked for by its type, and one that nobody knows is a
fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class NotAPlan(Exception):
    """The JSON is not of the shape that it should be; the message says where."""


class Fields:
    """The keys of one object. `path` says where it stands in the file."""

    def __init__(self, values: object, path: str = "") -> None:
        if not isinstance(values, dict):
            raise NotAPlan(f"{path or 'the file'} is not an object")
        self.values: Mapping[str, Any] = values
        self.path = path

    def only(self, *names: str) -> Fields:
        """Refuses any key but these."""
        if unknown := sorted(self.values.keys() - set(names)):
            raise NotAPlan(f"{self._at(unknown[0])} is not known")
        return self

    def text(self, name: str) -> str:
        return str(self._of(name, str, "text"))

    def flag(self, name: str) -> bool:
        return bool(self._of(name, bool, "true or false"))

    def number(self, name: str) -> int:
        return _number(self.any(name), self._at(name))

    def texts(self, name: str) -> tuple[str, ...]:
        items = self._list(name)
        if not all(isinstance(item, str) for item in items):
            raise NotAPlan(f"{self._at(name)} is not a list of text")
        return tuple(items)

    def numbers(self, name: str) -> tuple[int, ...]:
        return tuple(_number(item, self._at(name)) for item in self._list(name))

    def child(self, name: str) -> Fields:
        return Fields(self.any(name), self._at(name))

    def children(self, name: str) -> list[Fields]:
        return [Fields(item, f"{self._at(name)}[{i}]") for i, item in enumerate(self._list(name))]

    def any(self, name: str) -> Any:
        if name not in self.values:
            raise NotAPlan(f"{self._at(name)} is missing")
        return self.values[name]

    def _list(self, name: str) -> list[Any]:
        found = self._of(name, list, "a list")
        assert isinstance(found, list)
        return found

    def _of(self, name: str, wanted: type, words: str) -> object:
        found: object = self.any(name)
        if not isinstance(found, wanted):
            raise NotAPlan(f"{self._at(name)} is not {words}")
        return found

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def _number(value: object, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise NotAPlan(f"{path} is not a whole number from 0 up")
    return value
