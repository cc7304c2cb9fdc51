"""Which comments a file has, and what each one belongs to."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from orchestra.formatting.nodes import Document, Entry, Node, OwnLine

_COMMENT: Final = re.compile(r"(?:^|(?<=[ \t\n]))#[^\n]*")


@dataclass(frozen=True, slots=True)
class Comment:
    """`alone`: it has its line for itself."""

    line: int
    column: int
    text: str
    alone: bool
    at: int


def find(text: str, lines: Sequence[str], leaves: Iterable[Node]) -> list[Comment]:
    """Every comment, in order: what begins with # after a blank and is not inside a scalar."""
    found: list[Comment] = []
    begin, line, line_start = 0, 0, 0
    for low, high in [*_inside(text, leaves), (len(text), len(text))]:
        for match in _COMMENT.finditer(text, begin, low):
            if match.start() < begin:
                continue
            line += text.count("\n", line_start, match.start())
            line_start = text.rfind("\n", 0, match.start()) + 1
            column = match.start() - line_start
            alone = not lines[line][:column].strip()
            found.append(Comment(line, column, match[0].rstrip(), alone, match.start()))
        begin = max(begin, high)
    return found


def _inside(text: str, leaves: Iterable[Node]) -> Iterable[tuple[int, int]]:
    """The places of what holds no comments. The first line of a block scalar, with its `|`, may hold one."""
    for leaf in leaves:
        if leaf.is_block_scalar:
            header = text.find("\n", leaf.start)
            yield (leaf.end if header < 0 else min(header, leaf.end)), leaf.end
        else:
            yield leaf.start, leaf.end


def attach(document: Document, lines: Sequence[str], comments: Sequence[Comment]) -> dict[int, Comment]:
    """Hand each comment on a line of its own, and each empty line, to the entry that it stands at. What remains are the
    comments behind something, by line.

    A comment above an entry belongs to it. Below the last entry of a block it belongs to that block if it is at least
    as far to the right, and else to what comes next, or to the block around.
    """
    flows = sorted(_flows(document.root), key=lambda node: node.start)
    starts = [node.start for node in flows]
    taken = [False] * (len(lines) + 1)
    for leaf in document.leaves:
        for line in range(leaf.line, leaf.last_line + 1):
            taken[line] = True
    behind: dict[int, Comment] = {}
    own: dict[int, OwnLine] = {}
    for comment in comments:
        near = bisect_right(starts, comment.at) - 1
        if near >= 0 and comment.at < flows[near].end:
            continue
        if comment.alone and not taken[comment.line]:
            own[comment.line] = OwnLine(comment.line, comment.column, comment.text)
        else:
            behind[comment.line] = comment
    for node in flows:
        for line in range(node.line, node.last_line + 1):
            taken[line] = True
    for number in range(document.first, document.last):
        if number not in own and not taken[number] and not lines[number].strip():
            own[number] = OwnLine(number, 0, "")
    kept = [own[n] for n in sorted(own) if document.first <= n < document.last]
    _Walk(kept).document(document.root)
    return {n: c for n, c in behind.items() if document.first <= n < document.last}


def _flows(root: Node) -> Iterable[Node]:
    """Mappings and lists in flow style that are inside no other, and block scalars: their text is kept in one piece."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.flow or node.is_block_scalar:
            yield node
        else:
            waiting += [
                part for entry in node.entries for part in (entry.key, entry.value) if part is not None
            ]


class _Walk:
    def __init__(self, own: Sequence[OwnLine]) -> None:
        self._own = own
        self._next = 0

    def document(self, root: Node) -> None:
        self._block(root)
        if root.entries and not root.flow:
            root.foot = self._settle(root.entries[-1], self._take(None))
        else:
            root.foot = self._take(None)

    def _take(self, before: int | None) -> list[OwnLine]:
        """What lies above a line and has not been taken yet."""
        begin = self._next
        while self._next < len(self._own) and (before is None or self._own[self._next].line < before):
            self._next += 1
        return list(self._own[begin : self._next])

    def _block(self, node: Node) -> None:
        if not node.is_block:
            return
        before: Entry | None = None
        for entry in node.entries:
            between = self._take(entry.line)
            entry.lead = self._settle(before, between) if before is not None else between
            if entry.value.is_block:
                self._block(entry.value)
            else:
                entry.inner = [own for own in self._take(entry.value.line) if own.text]
            before = entry

    def _settle(self, entry: Entry, between: list[OwnLine]) -> list[OwnLine]:
        """Give the first lines to what is inside of the entry; the rest is for what follows it."""
        value = entry.value
        if value.is_block_scalar:
            return between
        least = max(value.column, entry.column + 1) if value.is_block else entry.column + 1
        count = 0
        for number, own in enumerate(between, 1):
            if own.text and own.column < least:
                break
            if own.text:
                count = number
        mine, rest = between[:count], between[count:]
        if value.is_block:
            value.foot = self._settle(value.entries[-1], mine)
        else:
            entry.under = mine
        return rest
