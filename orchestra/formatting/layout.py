"""Nodes -> lines: two blanks a level, keys in their order, everything else as it was written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from orchestra.formatting.comments import Comment
from orchestra.formatting.flow import one_line, quoted
from orchestra.formatting.nodes import Document, Entry, Node, OwnLine, indicators
from orchestra.formatting.order import Shape, spec_shape
from orchestra.formatting.sorting import Sorting

_STEP: Final = 2
_MODELINE: Final = re.compile(r"#\s*yaml-language-server\s*:")


@dataclass(frozen=True, slots=True)
class Line:
    """`kept`: the end of a block scalar to which an empty line would be added if one followed."""

    text: str
    kept: bool = False


class Layout:
    """`behind` are the comments behind something, by line; each is written once."""

    def __init__(self, text: str, document: Document, behind: dict[int, Comment]) -> None:
        self._text = text
        self._lines = text.split("\n")
        self._document = document
        self._behind = dict(behind)
        self._sorting = Sorting(text, document.root)

    def lines(self) -> list[str]:
        document, root = self._document, self._document.root
        out = [Line(line.rstrip()) for line in self._lines[: document.first]]
        if root.is_block:
            out += self._head(root)
            props = [Line(root.props)] if root.props else []
            out += props + self._block(root, 0, spec_shape(), top=True)
        else:
            out += self._value("", root, 0, 0, spec_shape(), root.line)
            out += [Line(own.text) for own in root.foot if own.text]
        rest = self._lines[document.last :]
        out += [Line(line.rstrip()) for line in rest]
        return [line.text for line in _without_end(out)]

    @property
    def unwritten(self) -> int:
        """How many comments found no place: none, unless this module is wrong."""
        return len(self._behind)

    def _head(self, root: Node) -> list[Line]:
        """What stands above the first key and speaks of the file: up to the last empty line, and the editor's line."""
        first = root.entries[0]
        blanks = [n for n, own in enumerate(first.lead) if not own.text]
        cut = blanks[-1] + 1 if blanks else 0
        head, first.lead = first.lead[:cut], first.lead[cut:]
        models = [own for own in (*head, *first.lead) if _MODELINE.match(own.text)]
        first.lead = [own for own in first.lead if own not in models]
        words = [own for own in head if own not in models]
        lines = [Line(own.text) for own in models] + self._own(words, 0, at_top=not models)
        return [*lines, Line("")] if cut and lines and lines[-1].text else lines

    def _block(
        self, node: Node, indent: int, shape: Shape, *, top: bool = False, spread: bool = False
    ) -> list[Line]:
        """The entries of a block. `spread`: those that take several lines have an empty line between them."""
        out: list[Line] = []
        before = 0
        for entry in self._sorting.sorted(node, shape):
            body = self._entry(entry, indent, shape, spread=top and self._name(entry) == "workloads")
            lead = self._own(entry.lead, indent, at_top=not out)
            apart = spread and max(before, len(body)) > 1
            if out and apart and (not lead or lead[0].text):
                lead.insert(0, Line(""))
            out += _fitting(out, lead) + body
            before = len(body)
        return out + _fitting(out, self._own(node.foot, indent, at_top=not out))

    def _name(self, entry: Entry) -> str:
        key = entry.key
        return "" if key is None else self._text[key.start : key.end].strip("\"'")

    def _entry(self, entry: Entry, indent: int, shape: Shape, *, spread: bool) -> list[Line]:
        if entry.key is None:
            lines = self._item(entry, indent, shape.item())
        else:
            key = self._text[entry.key.start : entry.key.end]
            colon = " :" if entry.key.kind == "alias" else ":"
            below = shape.of(self._name(entry))
            lines = self._after(f"{key}{colon}", entry, indent, below, spread=spread)
        return lines + self._own(entry.under, indent + _STEP, at_top=False)

    def _item(self, entry: Entry, indent: int, shape: Shape) -> list[Line]:
        value = entry.value
        first = value.entries[0] if value.is_block else None
        if first is None or value.props or (entry.line != first.line and entry.line in self._behind):
            return self._after("-", entry, indent, shape)
        inside = self._block(value, indent + _STEP, shape)
        above = next(
            n for n, line in enumerate(inside) if line.text and not line.text.lstrip().startswith("#")
        )
        words = [Line(" " * indent + line.text.lstrip()) if line.text else line for line in inside[:above]]
        start = inside[above]
        dashed = Line(" " * indent + "- " + start.text.lstrip(" "), start.kept)
        return [*words, dashed, *inside[above + 1 :]]

    def _after(
        self, head: str, entry: Entry, indent: int, shape: Shape, *, spread: bool = False
    ) -> list[Line]:
        """A key or a dash, and what comes after it."""
        value, pad = entry.value, " " * indent
        shift = indent - entry.column
        if value.is_block:
            props = f" {value.props}" if value.props else ""
            first = self._trailed(f"{pad}{head}{props}", entry.line, shift)
            return [Line(first), *self._block(value, indent + _STEP, shape, spread=spread)]
        apart = value.line != entry.line and value.end > value.start
        several = value.line != value.last_line and not value.is_block_scalar
        if apart and (entry.inner or entry.line in self._behind or several):
            out = [Line(self._trailed(pad + head, entry.line, shift))]
            out += self._own(entry.inner, indent + _STEP, at_top=True)
            deep = " " * (indent + _STEP)
            return out + self._value(deep, value, indent, entry.column, shape, value.line)
        inner = self._own(entry.inner, indent + _STEP, at_top=True)
        glue = f"{pad}{head} " if value.end > value.start else pad + head
        return self._value(glue, value, indent, entry.column, shape, entry.line) + inner

    def _value(
        self, before: str, node: Node, indent: int, column: int, shape: Shape, line: int
    ) -> list[Line]:
        """What fits behind a key: a scalar, an alias, something in flow style. `column` is where its key was."""
        written = self._text[node.start : node.end]
        shift = indent - column
        if node.is_block_scalar:
            return self._block_scalar(before, node, indent, column)
        if node.line == node.last_line or not written:
            shown = one_line(self._text, node, shape, self._sorting) if node.flow else quoted(node, written)
            return [Line(self._trailed(before + shown, node.last_line if written else line, shift))]
        first, *more = written.split("\n")
        lines = [
            before + first.rstrip(),
            *(_shifted(m, shift, indent + _STEP * (not node.flow)) for m in more),
        ]
        if not node.flow:
            lines = [before + first, *lines[1:]]
        lines[-1] = self._trailed(lines[-1], node.last_line, shift)
        return [Line(line) for line in lines]

    def _block_scalar(self, before: str, node: Node, indent: int, column: int) -> list[Line]:
        header, *content = self._text[node.start : node.end].split("\n")
        keeps, told = indicators(header)
        if told:
            old, new = column + told, indent + told
        else:
            first = next((c for c in content if c.strip(" ")), "")
            old, new = len(first) - len(first.lstrip(" ")), indent + _STEP
        lines = [Line(before + header.rstrip())]
        lines += [Line(" " * new + c[old:] if len(c) > old else "") for c in content]
        if keeps:
            lines[-1] = Line(lines[-1].text, kept=True)
        return lines

    def _trailed(self, code: str, line: int, shift: int) -> str:
        """With the comment behind it, in the column where it was if that can be."""
        comment = self._behind.pop(line, None)
        if comment is None:
            return code
        return code.ljust(max(comment.column + shift, len(code) + 2)) + comment.text

    def _own(self, lines: Sequence[OwnLine], indent: int, *, at_top: bool) -> list[Line]:
        """Comments, with at most one empty line between two, and none at the top of a block."""
        out: list[Line] = []
        for own in lines:
            if own.text:
                out.append(Line(" " * indent + own.text))
            elif (out and out[-1].text) or (not out and not at_top):
                out.append(Line(""))
        return out


def _shifted(line: str, by: int, least: int) -> str:
    bare = line.lstrip(" ")
    return " " * max(len(line) - len(bare) + by, least) + bare if bare.strip() else ""


def _fitting(above: Sequence[Line], lines: list[Line]) -> list[Line]:
    """Without the empty lines at its begin, where they would be taken for the end of a block scalar."""
    if not above or not above[-1].kept:
        return lines
    first = next((n for n, line in enumerate(lines) if line.text), len(lines))
    return lines[first:]


def _without_end(lines: list[Line]) -> Iterator[Line]:
    """Without empty lines at the end of the file."""
    last = max((n for n, line in enumerate(lines) if line.text or line.kept), default=-1)
    return iter(lines[: last + 1])
