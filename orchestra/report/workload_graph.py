"""The graph of the workloads: what starts each, where its messages wait, what works them off, and where failures go.

One lane a workload, its nodes in rows from the top down; edges go from one row to a later one. What a plan changes
marks the nodes that it touches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from orchestra.classify import pattern_of
from orchestra.classify.features import has_edge
from orchestra.classify.words import duration
from orchestra.ir.program import Address
from orchestra.kinds.cron_job import is_shared
from orchestra.plan.model import Action, Change
from orchestra.report.gravity import gravest_action, gravest_first
from orchestra.report.review import Review
from orchestra.spec.model import (
    EdgeHandler,
    Hmac,
    HttpTrigger,
    ManualTrigger,
    ScheduleTrigger,
    SqlHandler,
    Step,
    TableTrigger,
    Workload,
)
from orchestra.sql import inspect, sends

Shape = Literal["trigger", "queue", "work", "end"]
Place = tuple[int, int]
"""Row and position of a node in its lane."""
_KINDS = ("workload", "queue", "cron_job", "table_trigger", "grant", "progress", "edge_function")


@dataclass(frozen=True, slots=True)
class Node:
    """`note` is the small text below the title, `link` the workload that it leads to."""

    shape: Shape
    title: str
    note: str = ""
    action: Action | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    start: Place
    end: Place
    failure: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """`action` is the gravest of what happens to any part of the workload, None where nothing does."""

    workload: str
    summary: str
    rows: tuple[tuple[Node, ...], ...]
    edges: tuple[Edge, ...]
    action: Action | None = None
    moved_from: str = ""
    declared: bool = True
    """False for a workload that only the plan speaks of: it is gone from the spec, or there is no spec."""


@dataclass
class _Marks:
    """The changes of one workload, by address."""

    changes: Sequence[Change] = ()
    by_address: Mapping[Address, Change] = field(init=False)

    def __post_init__(self) -> None:
        self.by_address = {c.address: c for c in self.changes}

    def of(self, *addresses: Address) -> Action | None:
        return gravest_action(c.action for a in addresses if (c := self.by_address.get(a)))

    def worker(self, name: str) -> Action | None:
        """Of the workload's own row, its function and its consumer jobs."""
        mine = (
            c.action
            for c in self.changes
            if c.address in (Address("workload", name), Address("edge_function", name))
            or c.address.name.startswith(f"{name}.worker-")
        )
        return gravest_action(mine)


def lanes(review: Review) -> list[Lane]:
    """The workloads that the changes touch, the gravest first, then those that stay as they are."""
    touched: dict[str, list[Change]] = {}
    for change in gravest_first(review.changes):
        if change.address.kind in _KINDS and not is_shared(change.address.name):
            touched.setdefault(change.address.name.partition(".")[0], []).append(change)
    spec = review.spec
    declared = {w.name: w for w in spec.workloads} if spec else {}
    project = spec.project if spec else ""
    callers: dict[str, list[Node]] = {}
    for caller in declared.values():
        if caller.on_failure:
            node = Node("trigger", "failure of", caller.name, link=caller.name)
            callers.setdefault(caller.on_failure, []).append(node)
        for name in dict.fromkeys(to for _, to in _sends(caller, declared, project)):
            node = Node("trigger", "sent by", caller.name, link=caller.name)
            callers.setdefault(name, []).append(node)
    order = [*touched, *(name for name in declared if name not in touched)]
    out = []
    for name in order:
        marks = _Marks(touched.get(name, ()))
        if (w := declared.get(name)) is not None and spec is not None:
            queued = pattern_of(w, spec.platform) == "queue"
            out.append(
                _declared(w, queued, marks, callers.get(name, ()), tuple(_sends(w, declared, project)))
            )
        else:
            out.append(_undeclared(name, marks))
    return out


def _sends(w: Workload, declared: Mapping[str, Workload], project: str) -> Iterator[tuple[str, str]]:
    """The step, "" of a workload that is none, and the other workload that its SQL sends to, each pair once."""
    handlers = [(s.name, s.handler) for s in w.steps] if w.steps else [("", w.handler)]
    for step, handler in handlers:
        if isinstance(handler, SqlHandler):
            names = (text.value.removeprefix(f"{project}/") for text in sends(inspect(handler.sql)))
            yield from ((step, name) for name in dict.fromkeys(names) if name in declared)


def _declared(
    w: Workload, queued: bool, marks: _Marks, callers: Sequence[Node], sent: Sequence[tuple[str, str]]
) -> Lane:
    triggers = (*_triggers(w, marks), *callers)
    rows: list[tuple[Node, ...]] = [triggers or (Node("trigger", "manual"),)]
    if queued:
        rows.append((Node("queue", w.queue.name, w.queue.kind, marks.of(Address("queue", w.name))),))
    edges = list(_all_to_all(0, rows)) if queued else []
    first = len(rows)
    if w.steps:
        steps, more, at = _steps(w, first, marks)
        rows += steps
        edges += more
    else:
        at = {"": (first, 0)}
        rows.append((_handler(w, marks),))
        edges += [Edge((first - 1, i), (first, 0)) for i in range(len(rows[first - 1]))]
    failures = tuple(_ends(w, queued, marks))
    targets = list(dict.fromkeys(name for _, name in sent))
    if ends := (*failures, *(Node("end", "sends to", name, link=name) for name in targets)):
        last = len(rows) - 1
        edges += [
            Edge((last, i), (last + 1, j), True) for i in range(len(rows[last])) for j in range(len(failures))
        ]
        edges += [Edge(at[step], (last + 1, len(failures) + targets.index(name))) for step, name in sent]
        rows.append(ends)
    return _lane(w.name, w.summary, rows, edges, marks)


def _triggers(w: Workload, marks: _Marks) -> Iterator[Node]:
    schedules = tables = 0
    for trigger in w.triggers:
        match trigger:
            case ScheduleTrigger():
                schedules += 1
                key = w.name if schedules == 1 else f"{w.name}.schedule-{schedules}"
                when = trigger.cron or f"every {duration(trigger.every_ms or 0)}"
                note = f"{when} {trigger.timezone}" if trigger.timezone else when
                yield Node("trigger", "schedule", note, marks.of(Address("cron_job", key)))
            case TableTrigger():
                tables += 1
                key = w.name if tables == 1 else f"{w.name}.table-{tables}"
                note = f"{trigger.schema}.{trigger.table} {'/'.join(trigger.on)}"
                yield Node("trigger", "table", note, marks.of(Address("table_trigger", key)))
            case HttpTrigger():
                auth = f"hmac {trigger.auth.scheme}" if isinstance(trigger.auth, Hmac) else trigger.auth
                yield Node("trigger", "http", auth, marks.of(Address("edge_function", w.name)))
            case ManualTrigger():
                note = ", ".join(w.access.enqueue) or "SQL"
                yield Node("trigger", "manual", note, marks.of(Address("grant", w.name)))


def _handler(w: Workload, marks: _Marks) -> Node:
    title = "Edge Function" if has_edge(w) else "SQL"
    note = f"{w.concurrency.limit:,} at once, {duration(w.timeout_ms)} at most"
    return Node("work", title, note, marks.worker(w.name))


def _steps(
    w: Workload, first: int, marks: _Marks
) -> tuple[list[tuple[Node, ...]], list[Edge], dict[str, Place]]:
    """Steps by level, each one row below the lowest that it depends on; and where each stands."""
    level: dict[str, int] = {}
    waiting = {step.name: step for step in w.steps}
    while waiting:
        ready = [s for s in waiting.values() if all(d not in waiting for d in s.depends_on)] or list(
            waiting.values()
        )
        for step in ready:
            level[step.name] = 1 + max((level.get(d, -1) for d in step.depends_on), default=-1)
            del waiting[step.name]
    rows: list[list[Step]] = [[] for _ in range(1 + max(level.values()))]
    for step in w.steps:
        rows[level[step.name]].append(step)
    at = {s.name: (first + i, j) for i, row in enumerate(rows) for j, s in enumerate(row)}
    edges = [Edge(at[d], at[s.name]) for s in w.steps for d in s.depends_on if d in at]
    edges += [Edge((first - 1, 0), at[s.name]) for s in w.steps if not s.depends_on]
    action = marks.worker(w.name)
    return [tuple(_step(s, action) for s in row) for row in rows], edges, at


def _step(step: Step, action: Action | None) -> Node:
    handler = "Edge" if isinstance(step.handler, EdgeHandler) else "SQL"
    assert isinstance(step.handler, (EdgeHandler, SqlHandler))
    return Node("work", step.name, f"each of {step.map}" if step.map else handler, action)


def _ends(w: Workload, queued: bool, marks: _Marks) -> Iterator[Node]:
    if queued:
        action = marks.of(Address("queue", f"{w.name}.dead-letters"))
        yield Node("end", "dead letters", w.dead_letter_queue or "", action)
    if w.on_failure:
        yield Node("end", "on failure", w.on_failure, link=w.on_failure)


def _undeclared(name: str, marks: _Marks) -> Lane:
    """As much of a workload as its changes tell."""
    triggers = [
        Node("trigger", _WORDS[c.address.kind], _told(c), c.action)
        for c in marks.changes
        if c.address.kind in _WORDS and ".worker-" not in c.address.name
    ]
    rows: list[tuple[Node, ...]] = [tuple(triggers)] if triggers else []
    queue = marks.by_address.get(Address("queue", name))
    if queue is not None:
        rows.append((Node("queue", _told(queue) or name, "", queue.action),))
    if (action := marks.worker(name)) is not None:
        rows.append((Node("work", "handler", "", action),))
    if (letters := marks.of(Address("queue", f"{name}.dead-letters"))) is not None:
        rows.append((Node("end", "dead letters", "", letters),))
    edges = [edge for i in range(len(rows) - 1) for edge in _all_to_all(i, rows)]
    return _lane(name, "", rows, edges, marks, declared=False)


_WORDS = {
    "cron_job": "schedule",
    "table_trigger": "table",
    "grant": "manual",
    "progress": "progress",
}
_TELLING = ("cron", "schedule", "table", "function", "name")


def _told(change: Change) -> str:
    """The field that says most of it, as it will be, or as it was where it goes."""
    values = {f.path: f.before if f.after is None else f.after for f in change.fields}
    return next((str(values[path]) for path in _TELLING if values.get(path)), "")


def _all_to_all(row: int, rows: Sequence[Sequence[Node]]) -> Iterator[Edge]:
    for i in range(len(rows[row])):
        for j in range(len(rows[row + 1])):
            yield Edge((row, i), (row + 1, j))


def _lane(
    name: str,
    summary: str,
    rows: Sequence[tuple[Node, ...]],
    edges: Sequence[Edge],
    marks: _Marks,
    *,
    declared: bool = True,
) -> Lane:
    moved = next((c.moved_from.name for c in marks.changes if c.moved_from and c.address.name == name), "")
    action = gravest_action(c.action for c in marks.changes)
    return Lane(name, summary, tuple(rows), tuple(edges), action, moved, declared)
