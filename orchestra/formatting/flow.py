"""Values on one line: `{a: 1, b: [x, y]}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.formatting.nodes import Entry, Node
from orchestra.formatting.order import Shape

if TYPE_CHECKING:
    from orchestra.formatting.sorting import Sorting


def one_line(text: str, node: Node, shape: Shape, sorting: Sorting) -> str:
    """A mapping or a list in flow style with its keys in order and one form of blanks. As written where a part of it
    has another form, such as `[a: 1]` or `{? a}`."""
    return _Flow(text, sorting).of(node, shape) if _is_usual(text, node) else text[node.start : node.end]


def quoted(node: Node, written: str) -> str:
    """A scalar as written; single quotes become double ones where nothing has to be escaped for it."""
    if node.style != "'" or not written.startswith("'") or any(c in written for c in '"\\\n'):
        return written
    inside = written[1:-1]
    return written if "'" in inside else f'"{inside}"'


def _is_usual(text: str, node: Node) -> bool:
    if not node.flow:
        return True
    opened = text[node.start : node.end].removeprefix(node.props).lstrip()
    if opened[:1] != ("{" if node.kind == "mapping" else "["):
        return False
    if "?" in opened and any(text[: e.key.start].rstrip().endswith("?") for e in node.entries if e.key):
        return False
    parts = [p for e in node.entries for p in (e.key, e.value) if p is not None]
    return all(p.kind != "alias" or p is not e.key for e in node.entries for p in (e.key,) if p) and all(
        _is_usual(text, p) for p in parts
    )


class _Flow:
    def __init__(self, text: str, sorting: Sorting) -> None:
        self._text = text
        self._sorting = sorting

    def of(self, node: Node, shape: Shape) -> str:
        if not node.flow:
            return quoted(node, self._text[node.start : node.end])
        props = f"{node.props} " if node.props else ""
        if node.kind == "sequence":
            return f"{props}[{', '.join(self.of(e.value, shape.item()) for e in node.entries)}]"
        pairs = (self._pair(entry, shape) for entry in self._sorting.sorted(node, shape))
        return f"{props}{{{', '.join(pairs)}}}"

    def _pair(self, entry: Entry, shape: Shape) -> str:
        assert entry.key is not None
        key = self._text[entry.key.start : entry.key.end]
        if entry.value.end == entry.value.start:
            return key
        return f"{key}: {self.of(entry.value, shape.of(key.strip(_QUOTES)))}"


_QUOTES = "\"'"
