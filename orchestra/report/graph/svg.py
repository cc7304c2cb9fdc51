"""One SVG file that needs nothing else: it follows the reader's light or dark, and says in words what it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from math import ceil, sqrt
from typing import Final

from orchestra.report.cells import cut
from orchestra.report.html import lane_svg
from orchestra.report.html.escape import line
from orchestra.report.words import count
from orchestra.report.workload_graph import Lane

_MOST: Final = 4
"""Columns at most; a phone shows the picture as wide as it is, and one can zoom."""
_PAD: Final = 14
_HEAD: Final = 46
_CARD: Final = lane_svg.WIDTH + 2 * _PAD
_GAP: Final = 16
_NOT_XML: Final = re.compile("[\ufffe\uffff]")
_CHARS: Final = (40, 52)
"""Characters of a title and of a summary that a card has room for."""


def render(lanes: Sequence[Lane], project: str) -> str:
    """Cards in columns, each under the lowest of the shortest column so far."""
    columns = max(1, min(_MOST, ceil(sqrt(len(lanes)))))
    ends = [_GAP] * columns
    drawn: list[str] = []
    for lane in lanes:
        picture, height = lane_svg.picture(lane)
        column = min(range(columns), key=lambda n: ends[n])
        x, y = _GAP + column * (_CARD + _GAP), ends[column]
        head = _HEAD if lane.summary else _HEAD - 16
        drawn += _card(lane, picture, x, y, head, ceil(height))
        ends[column] = y + head + ceil(height) + _PAD + _GAP
    width, height = _GAP + columns * (_CARD + _GAP), max(ends)
    title = f"{project}: {count(len(lanes), 'workload')}"
    style = files("orchestra.report.graph").joinpath("svg.css").read_text("utf-8")
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="t d">\n<title id="t">{line(title)}</title>\n'
        f'<desc id="d">{line(_words(lanes))}</desc>\n<style>{style}</style>\n'
        f'<rect class="page" width="{width}" height="{height}"/>\n' + "\n".join(drawn) + "\n</svg>\n"
    )
    return _NOT_XML.sub("\ufffd", text)


def _card(lane: Lane, picture: str, x: int, y: int, head: int, height: int) -> Iterator[str]:
    middle = x + _CARD / 2
    whole = f'x="{x}" y="{y}" width="{_CARD}" height="{head + height + _PAD}" rx="8"'
    yield f'<rect class="card" id="w-{line(lane.workload)}" {whole}/>'
    yield f'<text class="w" x="{middle:g}" y="{y + 22}">{line(cut(lane.workload, _CHARS[0]))}</text>'
    if lane.summary:
        yield f'<text class="m" x="{middle:g}" y="{y + 38}">{line(cut(lane.summary, _CHARS[1]))}</text>'
    yield f'<g transform="translate({x + _PAD} {y + head})">{picture}</g>'


def _words(lanes: Sequence[Lane]) -> str:
    """What starts each, and what becomes of it."""
    return ". ".join(
        f"{lane.workload}: "
        + ", then ".join(" and ".join(f"{n.title} {n.note}".strip() for n in row) for row in lane.rows)
        for lane in lanes
    )
