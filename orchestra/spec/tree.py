"""YAML nodes -> plain data, with the places kept: the fast road for files without surprises.

Whatever is out of the ordinary (tags, aliases, merge keys, duplicate keys, keys that are no text) raises
`UnusualError`, and `careful.py` reads the same nodes again, slowly, and explains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestra.diagnostics import Span
from orchestra.spec.scalars import Plain, resolve

Data = Any
"""What JSON knows: dict, list, str, int, float, bool, None."""

MERGE: Final = "<<"


class UnusualError(Exception):
    """The file holds something that the fast road does not read."""


class _Keys(dict[str, str]):
    """Plain keys that are text, each distinct one judged once."""

    def __missing__(self, text: str) -> str:
        if text == MERGE or not isinstance(resolve(text), str):
            raise UnusualError
        self[text] = text
        return text


@dataclass(frozen=True, slots=True)
class Tree:
    """One file: its nodes and what they mean. `data` is a dict at the top."""

    file: str
    root: Node
    data: Data


def plain_data(root: Node) -> Data:
    """What the nodes mean.

    Raises:
        UnusualError: where something needs the careful road.
    """
    plain, keys = Plain(), _Keys()

    def value_of(node: Any) -> Data:
        if node.tag:
            raise UnusualError
        kind = node.__class__
        if kind is ScalarNode:
            return node.value if node.style else plain[node.value]
        if kind is MappingNode:
            mapping: dict[str, Data] = {}
            for key, value in node.value:
                if key.__class__ is not ScalarNode or key.tag:
                    raise UnusualError
                name = key.value if key.style else keys[key.value]
                if value.__class__ is ScalarNode and not value.tag:
                    mapping[name] = value.value if value.style else plain[value.value]
                else:
                    mapping[name] = value_of(value)
            if len(mapping) != len(node.value):
                raise UnusualError
            return mapping
        return [value_of(item) for item in node.value]

    return value_of(root)


def entry(node: MappingNode, name: str) -> tuple[Node, Node] | None:
    """The key and the value of an entry, looked for in what `<<` brings in as well."""
    merged: list[Node] = []
    for key, value in node.value:
        if isinstance(key, ScalarNode):
            if key.value == name:
                return key, value
            if key.value == MERGE and not key.style:
                merged.extend(value.value if isinstance(value, SequenceNode) else [value])
    for other in merged:
        if isinstance(other, MappingNode):
            found = entry(other, name)
            if found is not None:
                return found
    return None


def is_flat(node: Node) -> bool:
    """Whether a value begins where it was written: a scalar, or a mapping or list in flow style."""
    return not isinstance(node, MappingNode | SequenceNode) or bool(node.flow_style)


def span_of(node: Node, file: str) -> Span:
    """Where a node was written. A mapping or list in block style is pointed at by its first character."""
    start, end = node.start_mark, node.end_mark
    if is_flat(node):
        return Span(file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
    return Span(file, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
