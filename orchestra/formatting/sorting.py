"""Which entries may change places: an alias has to stay behind its anchor."""

from __future__ import annotations

from orchestra.formatting.nodes import Entry, Node
from orchestra.formatting.order import Shape


class Sorting:
    """Knows the anchors of a document. One name given to two anchors keeps every entry where it is."""

    def __init__(self, text: str, root: Node) -> None:
        self._text = text
        anchors = [node.anchor for node in _within(root) if node.anchor and node.kind != "alias"]
        self._fixed = len(anchors) != len(set(anchors))
        self._any = bool(anchors)

    def sorted(self, node: Node, shape: Shape) -> list[Entry]:
        """The entries of a mapping in the order of the schema, of a list as they are."""
        if node.kind != "mapping" or self._fixed or (self._any and _linked(node)):
            return node.entries
        return sorted(node.entries, key=lambda entry: shape.rank(self._name(entry)))

    def _name(self, entry: Entry) -> str:
        assert entry.key is not None
        return self._text[entry.key.start : entry.key.end].strip("\"'")


def _linked(node: Node) -> bool:
    """Whether an entry has an alias for what another one names."""
    home: dict[str, int] = {}
    for number, entry in enumerate(node.entries):
        for found in _of(entry):
            if found.anchor and found.kind != "alias":
                home[found.anchor] = number
    return any(
        found.kind == "alias" and home.get(found.anchor, number) != number
        for number, entry in enumerate(node.entries)
        for found in _of(entry)
    )


def _of(entry: Entry) -> list[Node]:
    return [n for part in (entry.key, entry.value) if part is not None for n in _within(part)]


def _within(node: Node) -> list[Node]:
    found, waiting = [], [node]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += [part for e in one.entries for part in (e.key, e.value) if part is not None]
    return found
