"""A mermaid flowchart, as GitHub and GitLab draw it in markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from orchestra.report.cells import visible
from orchestra.report.graph.picture import picture
from orchestra.report.workload_graph import Lane

_SHAPES: Final = {"trigger": '(["{}"])', "queue": '[("{}")]', "work": '["{}"]', "end": '{{{{"{}"}}}}'}
_SPECIAL: Final = re.compile(r"[^\w .,:/*+()=@'%-]", re.ASCII)
"""What is written as a number: all that mermaid or HTML could take for its own, and nothing that people read."""

MOST_CHARACTERS: Final = 50_000
MOST_ARROWS: Final = 500
"""What mermaid draws unless its page says otherwise (`maxTextSize`, `maxEdges`); GitHub's does not."""


def too_large(lanes: Sequence[Lane], text: str) -> str:
    """What makes readers of markdown show an error in place of this graph; empty where nothing does."""
    arrows = len(picture(lanes).arrows)
    if arrows > MOST_ARROWS:
        return f"it has {arrows:,} arrows, and mermaid draws {MOST_ARROWS}"
    if len(text) > MOST_CHARACTERS:
        return f"it has {len(text):,} characters, and mermaid draws {MOST_CHARACTERS:,}"
    return ""


def render(lanes: Sequence[Lane]) -> str:
    drawn = picture(lanes)
    lines = ["flowchart LR"]
    for group in drawn.groups:
        lines.append(f'  subgraph {group.name}["{_text(group.lane.workload)}"]')
        lines.append("    direction LR")
        for one in group.nodes:
            note = f"<br/>{_text(one.node.note)}" if one.node.note else ""
            lines.append(f"    {one.name}{_SHAPES[one.node.shape].format(_text(one.node.title) + note)}")
        lines.append("  end")
    lines += [f"  {a.start} {'-.->' if a.failure else '-->'} {a.end}" for a in drawn.arrows]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    return _SPECIAL.sub(_numbered, visible(text, keep=""))


def _numbered(found: re.Match[str]) -> str:
    char = found[0]
    return char if char.isalnum() else f"#{ord(char)};"
