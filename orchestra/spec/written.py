"""Which keys stood in the file for a workload, and were not given by a default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, Final

_NOTHING: Final = object()


class Written(Set[str]):
    """The dotted keys of a mapping (`retry`, `retry.max_attempts`, `trigger.0.table.name`), read where they are asked
    for: of 10,000 workloads few are asked for more than one. Items of a list count where they are mappings."""

    __slots__ = ("_data",)

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    @classmethod
    def _from_iterable(cls, found: Iterable[Any]) -> Any:
        return frozenset(found)

    def __contains__(self, path: object) -> bool:
        node: Any = self._data
        for part in str(path).split("."):
            if isinstance(node, dict):
                node = node.get(part, _NOTHING)
            elif isinstance(node, list) and part.isdecimal() and int(part) < len(node):
                node = node[int(part)]
                if not isinstance(node, dict):
                    return False
            else:
                return False
            if node is _NOTHING:
                return False
        return True

    def __iter__(self) -> Iterator[str]:
        return _keys(self._data, "")

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _keys(data: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in data.items():
        path = prefix + key
        yield path
        if isinstance(value, dict):
            yield from _keys(value, path + ".")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    yield f"{path}.{index}"
                    yield from _keys(item, f"{path}.{index}.")
