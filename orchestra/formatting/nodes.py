"""Text -> nodes as they were written: aliases stay aliases, and every node knows which characters are its own.

The nodes of `orchestra.spec` say what a file means; there an alias is the node that it stands for, and the end of a
block is where the next one begins. Here the form counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import yaml
from yaml._yaml import CParser

from orchestra.formatting.errors import CannotFormatError

Kind = Literal["scalar", "alias", "mapping", "sequence"]


@dataclass(slots=True, eq=False)
class Node:
    """`start` and `end` are places in the text, `line` and `column` where it begins, counted from 0.

    A scalar's characters include its anchor; `props` is the anchor (and the tag) of a mapping or a list. `foot` holds
    the comments below the last entry of a block.
    """

    kind: Kind
    start: int
    end: int
    line: int
    column: int
    last_line: int
    style: str = ""
    flow: bool = False
    props: str = ""
    anchor: str = ""
    entries: list[Entry] = field(default_factory=list)
    foot: list[OwnLine] = field(default_factory=list)

    @property
    def is_block(self) -> bool:
        """A mapping or a list over lines of its own."""
        return self.kind in ("mapping", "sequence") and not self.flow

    @property
    def is_block_scalar(self) -> bool:
        return self.style in ("|", ">")


@dataclass(slots=True, eq=False)
class Entry:
    """A key and its value, or an item of a list (no key). `line` and `column` are those of the key or of the dash.

    `lead` stands above it, `inner` between a key and its value on a later line, `under` below it and further right.
    """

    key: Node | None
    value: Node
    line: int
    column: int
    lead: list[OwnLine] = field(default_factory=list)
    inner: list[OwnLine] = field(default_factory=list)
    under: list[OwnLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OwnLine:
    """A comment on a line of its own, or an empty line (no text)."""

    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """`first` and `last` bound the lines that may be moved: outside are `---`, directives and `...`."""

    root: Node
    first: int
    last: int
    leaves: tuple[Node, ...]


def indicators(header: str) -> tuple[bool, int]:
    """Of the line with the `|` or `>` of a block scalar: whether it keeps the empty lines at its end, and how far it
    says to be indented (0: it does not say)."""
    found = _HEADER.search(re.sub(r"^(?:[&!]\S*[ \t]+)+", "", header))
    marks = found[1] if found else ""
    return "+" in marks, int(marks.strip("+-") or 0)


def read(text: str, lines: list[str]) -> Document:
    """The nodes of a text of one document, which the loader of specs has read without complaint."""
    return _Reader(text, lines).document()


_PROPS: Final = "&!"
_HEADER: Final = re.compile(r"[|>]([-+1-9]*)")
_KINDS: Final[dict[type, Kind]] = {
    yaml.ScalarEvent: "scalar",
    yaml.AliasEvent: "alias",
    yaml.MappingStartEvent: "mapping",
    yaml.SequenceStartEvent: "sequence",
}


class _Reader:
    def __init__(self, text: str, lines: list[str]) -> None:
        self._text = text
        self._lines = lines
        self._leaves: list[Node] = []
        self._end = -1
        """The last line of what has been read."""
        self._outer = 0
        """The column of the block in which a value is being read."""

    def document(self) -> Document:
        parser = CParser(self._text)
        try:
            events: list[Any] = []
            while parser.check_event():
                events.append(parser.get_event())
        finally:
            parser.dispose()
        inside = iter(events[2:])
        root = self._node(next(inside), inside)
        closing = next(inside)
        if events[1].explicit and root.line == events[1].end_mark.line:
            raise CannotFormatError(
                "a value behind `---` is not formatted", "write it on the next line", line=root.line + 1
            )
        begin, opened = events[1], events[1].explicit
        last = closing.start_mark.line if closing.explicit else len(self._lines)
        return Document(root, begin.end_mark.line + 1 if opened else 0, last, tuple(self._leaves))

    def _node(self, event: Any, events: Iterator[Any]) -> Node:
        node = self._begun(event)
        if node.kind in ("scalar", "alias"):
            self._leaves.append(node)
            self._end = node.last_line
            return node
        if not node.flow:
            node.line, node.column = event.end_mark.line, event.end_mark.column
            # The mark of a list that is no further to the right than its key is behind the first dash.
            if node.kind == "sequence" and self._text[event.end_mark.index] != "-":
                node.column -= 1
        closing = self._mapping(node, events) if node.kind == "mapping" else self._sequence(node, events)
        if node.flow:
            node.end, node.last_line = closing.end_mark.index, closing.end_mark.line
            self._end = node.last_line
        else:
            node.last_line = self._end
        return node

    def _begun(self, event: Any) -> Node:
        kind = _KINDS[type(event)]
        begin, end = event.start_mark, event.end_mark
        node = Node(kind, begin.index, end.index, begin.line, begin.column, end.line)
        node.anchor = event.anchor or ""
        if kind == "scalar":
            node.style = event.style or ""
            if node.is_block_scalar:
                self._trim(node)
        elif kind != "alias":
            node.flow = bool(event.flow_style)
            node.props = " ".join(w for w in self._text[begin.index : end.index].split() if w[0] in _PROPS)
        return node

    def _trim(self, node: Node) -> None:
        """The mark behind a block scalar is where the next thing begins; its own last line is before."""
        written = self._text[node.start : node.end].split("\n")
        keeps, told = indicators(written[0])
        # Of a value of empty lines the longest says how far it is indented.
        first = next((line for line in written[1:] if line.strip(" ")), max(written[1:], key=len, default=""))
        indent = self._outer + told if told else len(first) - len(first.lstrip(" "))
        if keeps:
            written = written[:-1] if len(written) > 1 else written
        else:
            # A line of blanks that goes beyond the indentation is part of the value.
            while len(written) > 1 and not written[-1].strip(" ") and len(written[-1]) <= indent:
                written.pop()
        node.end = node.start + len("\n".join(written))
        node.last_line = node.line + len(written) - 1

    def _mapping(self, node: Node, events: Iterator[Any]) -> Any:
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return event
            key = self._node(event, events)
            if not node.flow:
                self._plain_key(key)
            self._outer = key.column
            node.entries.append(Entry(key, self._node(next(events), events), key.line, key.column))
        raise AssertionError("a mapping without an end")

    def _plain_key(self, key: Node) -> None:
        before = self._lines[key.line][: key.column]
        if "?" in before or key.is_block or key.line != key.last_line or not key.end > key.start:
            raise CannotFormatError(
                "a key in the form `? key` is not formatted", "write it as `key: value`", line=key.line + 1
            )

    def _sequence(self, node: Node, events: Iterator[Any]) -> Any:
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return event
            line = node.line if not node.entries else self._dash(node)
            self._outer = node.column
            item = self._node(event, events)
            node.entries.append(Entry(None, item, line, node.column))
        raise AssertionError("a list without an end")

    def _dash(self, node: Node) -> int:
        """The line of the next item's dash: the first line after the last item that has one in its column."""
        if node.flow:
            return node.line
        line = self._end + 1
        while not (
            self._lines[line].startswith("-", node.column) and not self._lines[line][: node.column].strip()
        ):
            line += 1
        return line
