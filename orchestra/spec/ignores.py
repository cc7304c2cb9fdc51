"""`# orchestra: ignore[W310] reason` comments; only real ones, never text that looks alike."""

from __future__ import annotations

import re
from typing import Final

from yaml.nodes import MappingNode, Node, ScalarNode

from orchestra.spec.model import Ignore

Place = tuple[int, int]
"""Line and column, counted from 0."""

_COMMENT: Final = re.compile(
    r"(?:(?<=[ \t])|^)#[ \t]*orchestra:[ \t]*ignore\[([^\]\n]*)\][ \t]*([^\r\n]*)", re.M
)


def find_ignores(text: str, root: Node | None, file: str) -> tuple[Ignore, ...]:
    """The ignore comments of a file, in order. Each speaks of the line that it stands on."""
    candidates = list(_COMMENT.finditer(text)) if "orchestra:" in text else []
    if not candidates:
        return ()
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    within = _scalar_lines(root)
    found: list[Ignore] = []
    line_number = 0
    for match in candidates:
        while starts[line_number + 1] <= match.start():
            line_number += 1
        column = match.start() - starts[line_number]
        if any(begin <= (line_number, column) < end for begin, end in within.get(line_number, ())):
            continue
        codes = tuple(code.strip() for code in match[1].split(",") if code.strip())
        found.append(Ignore(file, line_number + 1, column + 1, codes, match[2].strip()))
    return tuple(found)


def _scalar_lines(root: Node | None) -> dict[int, list[tuple[Place, Place]]]:
    """Line -> begin and end of the scalars on it. The line of a `|` or `>` is free for comments."""
    covered: dict[int, list[tuple[Place, Place]]] = {}
    seen: set[int] = set()
    stack = [root] if root is not None else []
    while stack:
        node = stack.pop()
        if isinstance(node, ScalarNode):
            first, last = node.start_mark, node.end_mark
            begin = (first.line + 1, 0) if node.style in ("|", ">") else (first.line, first.column)
            end = (last.line, last.column)
            if begin < end and (node.style or begin[0] != end[0]):
                for line in range(begin[0], end[0] + 1):
                    covered.setdefault(line, []).append((begin, end))
        elif id(node) not in seen:
            seen.add(id(node))
            stack.extend(
                [part for pair in node.value for part in pair]
                if isinstance(node, MappingNode)
                else node.value
            )
    return covered
