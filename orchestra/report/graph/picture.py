"""Lanes as one graph: nodes with names of their own, and edges that lead from one workload to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestra.report.review import Review
from orchestra.report.workload_graph import Lane, Node, lanes
from orchestra.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Drawn:
    """A node and the name by which edges know it: `w0_1_0`, of workload, row and place."""

    name: str
    node: Node


@dataclass(frozen=True, slots=True)
class Arrow:
    start: str
    end: str
    failure: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A workload with its nodes."""

    name: str
    lane: Lane
    nodes: tuple[Drawn, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    groups: tuple[Group, ...]
    arrows: tuple[Arrow, ...]


def of_spec(spec: Spec, workload: str | None = None) -> list[Lane]:
    """The lanes of a spec as it is, in its order; of one workload alone."""
    review = Review("diff", spec.project, "default", (), (), spec=spec)
    return [lane for lane in lanes(review) if workload is None or lane.workload == workload]


def picture(found: Sequence[Lane]) -> Picture:
    """Where a workload hands its failures to another one that is drawn too, an arrow leads straight there."""
    places = {lane.workload: f"w{n}" for n, lane in enumerate(found)}
    heads = {lane.workload: f"w{n}_1_0" for n, lane in enumerate(found) if len(lane.rows) > 1}
    groups: list[Group] = []
    arrows: list[Arrow] = []
    for number, lane in enumerate(found):
        away = {
            (row, place): node.link
            for row, nodes in enumerate(lane.rows)
            for place, node in enumerate(nodes)
            if node.link and node.link in heads
        }
        nodes = tuple(
            Drawn(f"w{number}_{row}_{place}", node)
            for row, some in enumerate(lane.rows)
            for place, node in enumerate(some)
            if (row, place) not in away
        )
        groups.append(Group(places[lane.workload], lane, nodes))
        arrows += _arrows(number, lane, away, heads)
    return Picture(tuple(groups), tuple(arrows))


def _arrows(
    number: int, lane: Lane, away: dict[tuple[int, int], str], heads: dict[str, str]
) -> Iterator[Arrow]:
    for edge in lane.edges:
        if edge.start in away:
            continue  # the arrow comes from the workload that fails
        start = f"w{number}_{edge.start[0]}_{edge.start[1]}"
        target = away.get(edge.end)
        end = heads[target] if target else f"w{number}_{edge.end[0]}_{edge.end[1]}"
        yield Arrow(start, end, edge.failure)
