"""YAML nodes -> plain data, slowly: aliases, merge keys, tags and duplicate keys, each with its finding."""

from __future__ import annotations

from typing import Final

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestra.diagnostics import Diagnostic, Label
from orchestra.spec.aliases import alias_fault
from orchestra.spec.faults import fault
from orchestra.spec.limits import MAX_FINDINGS
from orchestra.spec.scalars import resolve
from orchestra.spec.tree import MERGE, Data, span_of

_CORE: Final = "tag:yaml.org,2002:"
_SCALAR_TAGS: Final = frozenset(_CORE + name for name in ("int", "float", "bool", "null"))


def careful_data(root: Node, file: str) -> tuple[Data, list[Diagnostic]]:
    """What the nodes mean, and what is wrong with them. Where an entry is faulty the first one stands."""
    bomb = alias_fault(root, file)
    if bomb is not None:
        return None, [bomb]
    reader = _Reader(file)
    return reader.value_of(root), reader.found


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Diagnostic] = []
        self._told: set[tuple[str, int]] = set()

    def value_of(self, node: Node) -> Data:
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if node.tag and node.tag not in (_CORE + "map", _CORE + "seq"):
            self._tag(node)
        if isinstance(node, MappingNode):
            return self._mapping(node)
        return [self.value_of(item) for item in node.value]

    def _scalar(self, node: ScalarNode) -> Data:
        if node.tag == _CORE + "str":
            return node.value
        if node.tag and node.tag not in _SCALAR_TAGS:
            self._tag(node)
        return node.value if node.style and not node.tag else resolve(node.value)

    def _mapping(self, node: MappingNode) -> dict[str, Data]:
        own: dict[str, Data] = {}
        first: dict[str, Node] = {}
        merged: list[Node] = []
        for key, value in node.value:
            name = self._key(key)
            if name is None:
                continue
            if name == MERGE and not key.style:
                merged.extend(value.value if isinstance(value, SequenceNode) else [value])
            elif name in first:
                self._duplicate(name, key, first[name])
            else:
                first[name] = key
                own[name] = self.value_of(value)
        for other in merged:
            brought = self.value_of(other)
            if isinstance(brought, dict):
                own = {**own, **{name: value for name, value in brought.items() if name not in own}}
            else:
                self._tell(
                    "E113",
                    other,
                    "`<<` takes a mapping or a list of mappings",
                    "Write `<<: *name`, where `&name` stands before a mapping.",
                )
        return own

    def _key(self, key: Node) -> str | None:
        if not isinstance(key, ScalarNode):
            self._tell("E113", key, "a mapping or a list cannot be a key", "Write `key: value`.")
            return None
        name = key.value if key.style or key.tag == _CORE + "str" else resolve(key.value)
        if not isinstance(name, str):
            shown = key.value or "nothing"
            self._tell("E113", key, f"the key `{shown}` is not text", f'Put it in quotes: `"{key.value}":`.')
            return None
        if key.tag and key.tag != _CORE + "str":
            self._tag(key)
        return str(key.value)

    def _duplicate(self, name: str, key: Node, first: Node) -> None:
        if self._once("E107", key):
            self.found.append(
                fault(
                    "E107",
                    f"the key `{name}` stands twice in the same mapping",
                    span_of(key, self.file),
                    why="YAML readers keep one of the two without a word, and not all the same one.",
                    help="Remove or rename one of them.",
                    labels=[Label(span_of(first, self.file), "it stands here first")],
                )
            )

    def _tag(self, node: Node) -> None:
        shown = str(node.tag).replace(_CORE, "!!")
        self._tell(
            "E110",
            node,
            f"the tag `{shown}` is not allowed",
            "Remove the tag. Text that should begin with `!` needs quotes.",
            why="A spec is plain data; tags make programs construct objects.",
        )

    def _tell(self, code: str, node: Node, message: str, remedy: str, *, why: str = "") -> None:
        if self._once(code, node):
            self.found.append(fault(code, message, span_of(node, self.file), why=why, help=remedy))

    def _once(self, code: str, node: Node) -> bool:
        """Aliases lead here again and again; one finding a place is enough, and no more than are shown."""
        mark = (code, node.start_mark.index)
        if mark in self._told or len(self._told) > MAX_FINDINGS:
            return False
        self._told.add(mark)
        return True
