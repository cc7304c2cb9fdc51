"""One lane of the workload graph as inline SVG, in units that are pixels on a phone."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.report.cells import cut
from orchestra.report.html.escape import LOOKS, line
from orchestra.report.symbols import SYMBOLS
from orchestra.report.workload_graph import Edge, Lane, Node

WIDTH = 320
HEIGHT = 46
GAP_X = 10
GAP_Y = 26
ABREAST = 3
"""Nodes beside each other; more of one row go below."""
WIDEST = 200
_TITLE, _NOTE = 7.3, 6.2
"""Widths of a character, in the two sizes."""


class _Box:
    """Where a node lies."""

    def __init__(self, node: Node, x: float, y: float, width: float) -> None:
        self.node, self.x, self.y, self.width = node, x, y, width

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def svg(lane: Lane) -> str:
    """The picture, with its words for those who do not see it."""
    drawn, height = picture(lane)
    said = "; ".join(", ".join(f"{n.title} {n.note}".strip() for n in row) for row in lane.rows)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{line(lane.workload)}: {line(said)}">'
        f"{drawn}</svg>"
    )


def picture(lane: Lane) -> tuple[str, float]:
    """What is inside, and how high it is."""
    boxes, height = _placed(lane)
    drawn = [_edge(edge, boxes) for edge in lane.edges]
    drawn += [_node(box) for row in boxes for box in row]
    return "".join(drawn), height


def _placed(lane: Lane) -> tuple[list[list[_Box]], float]:
    y = 2.0
    placed: list[list[_Box]] = []
    for row in lane.rows:
        boxes: list[_Box] = []
        for start in range(0, len(row), ABREAST):
            part = row[start : start + ABREAST]
            width = min(WIDEST, (WIDTH - 4 - GAP_X * (len(part) - 1)) / len(part))
            left = (WIDTH - width * len(part) - GAP_X * (len(part) - 1)) / 2
            boxes += [_Box(node, left + i * (width + GAP_X), y, width) for i, node in enumerate(part)]
            y += HEIGHT + (8 if start + ABREAST < len(row) else GAP_Y)
        placed.append(boxes)
    return placed, max(y - GAP_Y + 2, 20)


def _edge(edge: Edge, boxes: list[list[_Box]]) -> str:
    start, end = boxes[edge.start[0]][edge.start[1]], boxes[edge.end[0]][edge.end[1]]
    y1, y2 = start.y + HEIGHT, end.y - 5
    bend = (y2 - y1) / 2
    path = f"M{start.middle:g} {y1:g}C{start.middle:g} {y1 + bend:g} {end.middle:g} {y2 - bend:g} {end.middle:g} {y2:g}"
    tip = f"M{end.middle - 4:g} {y2:g}l4 5 4-5z"
    look = "e f" if edge.failure else "e"
    return f'<path class="{look}" d="{path}"/><path class="{look.replace("e", "t", 1)}" d="{tip}"/>'


def _node(box: _Box) -> str:
    node = box.node
    look = f"n {node.shape}" + (f" {LOOKS[node.action]}" if node.action else "")
    words = "".join(_words(box))
    drawn = f'<g class="{look}"><title>{line(f"{node.title} {node.note}".strip())}</title>{_outline(box)}{words}</g>'
    return f'<a href="#w-{line(node.link)}">{drawn}</a>' if node.link else drawn


def _outline(box: _Box) -> str:
    radius = {"trigger": HEIGHT / 2, "end": HEIGHT / 2, "queue": 4, "work": 10}[box.node.shape]
    rect = f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{HEIGHT}" rx="{radius:g}"/>'
    if box.node.shape != "queue":
        return rect
    right = box.x + box.width
    bars = "".join(f"M{right - 8 - 6 * i:g} {box.y + 7:g}v{HEIGHT - 14}" for i in range(3))
    return f'{rect}<path d="{bars}"/>'


def _words(box: _Box) -> Iterator[str]:
    node = box.node
    room = box.width - (44 if node.shape == "queue" else 20)
    middle = box.middle - (12 if node.shape == "queue" else 0)
    sign = f"{SYMBOLS[node.action].sign} " if node.action else ""
    title = cut(f"{sign}{node.title}", max(4, int(room / _TITLE)))
    y = box.y + (20 if node.note else 28)
    yield f'<text x="{middle:g}" y="{y:g}">{line(title)}</text>'
    if node.note:
        note = cut(node.note, max(4, int(room / _NOTE)))
        yield f'<text class="m" x="{middle:g}" y="{box.y + 35:g}">{line(note)}</text>'
