"""Where a value was written: dotted paths through the nodes of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestra.diagnostics import Span
from orchestra.spec.faults import top_of
from orchestra.spec.tree import Tree, entry, is_flat, span_of


@dataclass(frozen=True, slots=True)
class NodeSource:
    """Places below one entry of a file: a workload, a requirement.

    `at` points at the value that was written. A mapping or a list in block style begins on the line below its
    key, so there, where the value is empty, and where only part of the path was written, the key is shown.
    """

    file: str
    key: Node | None
    value: Node

    def at(self, path: str = "", *, key: bool = False) -> Span:
        return self.find(path.split(".") if path else (), key=key)[0]

    def find(self, parts: Sequence[str], *, key: bool = False) -> tuple[Span, int]:
        """The span, and how many of the parts were found."""
        key_node, node = self.key, self.value
        for found, part in enumerate(parts):
            step = _step(node, part)
            if step is None:
                return self._nearest(key_node, node), found
            key_node, node = step
        if key and key_node is not None:
            return span_of(key_node, self.file), len(parts)
        return self._nearest(key_node, node, exact=True), len(parts)

    def node(self, parts: Sequence[str]) -> Node:
        """The node at a path, or the nearest above it."""
        node = self.value
        for part in parts:
            step = _step(node, part)
            if step is None:
                break
            node = step[1]
        return node

    def _nearest(self, key: Node | None, node: Node, *, exact: bool = False) -> Span:
        flat = is_flat(node)
        empty = isinstance(node, ScalarNode) and not node.value and not node.style
        if key is None or (exact and flat and not empty):
            return span_of(node, self.file)
        return span_of(key, self.file)


@dataclass(frozen=True, slots=True)
class FilesSource:
    """Places in a spec of one or more files: the file that knows most of the path answers."""

    trees: tuple[Tree, ...]

    def at(self, path: str = "", *, key: bool = False) -> Span:
        parts = path.split(".") if path else []
        best: tuple[Span, int] | None = None
        for tree in self.trees:
            found = NodeSource(tree.file, None, tree.root).find(parts, key=key)
            if best is None or found[1] > best[1]:
                best = found
        return best[0] if best is not None else top_of("orchestra.yaml")


def _step(node: Node, part: str) -> tuple[Node | None, Node] | None:
    if isinstance(node, MappingNode):
        return entry(node, part)
    if isinstance(node, SequenceNode):
        if part.isdecimal() and int(part) < len(node.value):
            return None, node.value[int(part)]
        return None
    return None


def source_of(tree: Tree, *path: str) -> NodeSource:
    """The source of an entry of a file, by the keys that lead there (which must exist)."""
    key: Node | None = None
    node = tree.root
    for part in path:
        step = _step(node, part)
        if step is None:
            break
        key, node = step
    return NodeSource(tree.file, key, node)
