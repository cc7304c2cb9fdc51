"""The steps of a pipeline, as the runtime reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter

from orchestra.ir.program import Json
from orchestra.ir.sql import canonical_json
from orchestra.spec.model import SqlHandler, Step
from orchestra.sql import bind, inspect


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a workload as it runs: `step` None is the workload's own."""

    sql: str
    role: str | None
    search_path: tuple[str, ...]
    step: str | None = None


def step_statements(steps: str) -> Iterator[Statement]:
    """Those of a pipeline that run in SQL."""
    for step in json.loads(steps):
        if "sql" in step:
            yield Statement(
                step["sql"], step.get("run_role"), tuple(step.get("search_path", ())), step["name"]
            )


def steps_json(steps: Iterable[Step], timeout_ms: int | None = None) -> str:
    """A JSON array, each step after those that it depends on; the same text for the same steps in any order.

    `timeout_ms` is that of all steps; None leaves each its own longest duration.

    `answers` says that the statement of a step returns rows, the first of which is what the step answers.
    """
    return canonical_json([_step(s, timeout_ms) for s in in_order(steps)])


def in_order(steps: Iterable[Step]) -> Iterator[Step]:
    """Each after those that it depends on; the same whatever order they come in."""
    named = {s.name: s for s in sorted(steps, key=lambda s: s.name)}
    order = TopologicalSorter(
        {s.name: sorted({*s.depends_on, *([s.map] if s.map else [])}) for s in named.values()}
    )
    yield from (named[name] for name in order.static_order())


def _step(step: Step, timeout_ms: int | None) -> dict[str, Json]:
    found: dict[str, Json] = {
        "name": step.name,
        "depends_on": [*sorted(step.depends_on)],
        "timeout_ms": step.durations.max_ms if timeout_ms is None else timeout_ms,
    }
    if step.map is not None:
        found["map"] = step.map
    if step.failure_policy != "fail_run":
        found["failure_policy"] = step.failure_policy
    if isinstance(step.handler, SqlHandler):
        found["sql"] = bind(step.handler.sql).text
        found["answers"] = inspect(step.handler.sql).answers
        if step.handler.role is not None:
            found["run_role"] = step.handler.role
        if step.handler.search_path:
            found["search_path"] = list(step.handler.search_path)
    return found
