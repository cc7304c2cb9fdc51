"""Keys of the spec that are checked today and work in a later version, each with one sentence that says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from orchestra.ir.program import Address
from orchestra.spec.model import EdgeHandler, HttpTrigger, Spec, SqlHandler, Workload

_LATER: Final = (
    ("rate_limit", "rate_limit"),
    ("idempotency_key", "idempotency_key"),
    ("debounce", "debounce"),
    ("on_failure", "on_failure"),
    ("linger", "linger_ms"),
    ("moved", "moved"),
)
"""Keys of a workload and the fields that hold them."""
_MOVED: Final = "moving a project to another name is not supported yet"


class Later(NamedTuple):
    """`path` is where the key stands in the workload (in the spec, for the project's own)."""

    address: Address
    path: str
    why: str


def later(spec: Spec) -> Iterator[Later]:
    """All of them, in the spec's order."""
    if spec.moved is not None:
        yield Later(Address("project", spec.project), "moved", _MOVED)
    for workload in spec.workloads:
        for path, why in _keys(workload):
            yield Later(Address("workload", workload.name), path, why)


def _keys(w: Workload) -> Iterator[tuple[str, str]]:
    if w.steps:
        yield "steps", "pipelines (steps) are not supported yet"
    elif isinstance(w.handler, EdgeHandler):
        yield (
            "",
            f"workload {w.name} runs in an Edge Function, which is not supported yet (run: {{sql: …}} is)",
        )
    for trigger in w.triggers:
        if isinstance(trigger, HttpTrigger):
            yield trigger.path, "HTTP triggers are not supported yet"
    if isinstance(w.handler, SqlHandler) and w.payload_schema is not None:
        yield (
            "payload_schema",
            "payload schemas of SQL handlers are not supported yet: nothing would check them",
        )
    if w.alerts.max_depth is not None or w.alerts.max_age_ms is not None:
        yield "alerts", "alerts are not supported yet: nothing would send them"
    if w.dead_letter_queue is not None:
        yield (
            "dead_letter_queue",
            "a dead letter queue of its own is not supported yet: dead letters go to orchestra.dead_letter",
        )
    for key, name in _LATER:
        if getattr(w, name) is not None:
            yield key, f"{key} is not supported yet"
