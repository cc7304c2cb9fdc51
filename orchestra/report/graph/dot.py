"""A graph for Graphviz."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestra.report.cells import visible
from orchestra.report.graph.picture import picture
from orchestra.report.workload_graph import Lane

_SHAPES: Final = {
    "trigger": "shape=box, style=rounded",
    "queue": "shape=cylinder",
    "work": "shape=box",
    "end": "shape=note",
}


def render(lanes: Sequence[Lane]) -> str:
    drawn = picture(lanes)
    lines = [
        "digraph orchestra {",
        "  rankdir=LR;",
        '  graph [fontname="sans-serif"];',
        '  node [fontname="sans-serif", fontsize=11];',
    ]
    for group in drawn.groups:
        lines.append(f"  subgraph cluster_{group.name} {{")
        lines.append(f"    label={_quoted(group.lane.workload)};")
        for one in group.nodes:
            label = _quoted(*filter(None, (one.node.title, one.node.note)))
            lines.append(f"    {one.name} [label={label}, {_SHAPES[one.node.shape]}];")
        lines.append("  }")
    lines += [f"  {a.start} -> {a.end}{' [style=dashed]' if a.failure else ''};" for a in drawn.arrows]
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(*lines: str) -> str:
    """Lines in a string of DOT: `\\n` breaks one, and a quote or a backslash of the text means itself."""
    written = (visible(line, keep="").replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(written) + '"'
