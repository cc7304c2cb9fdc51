"""A checked spec becomes a Program: each kind lowers its own part, here they are only put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from orchestra.classify import pattern_of
from orchestra.classify.features import catches_up, has_edge
from orchestra.ir.program import Program, Resource
from orchestra.kinds import (
    BY_NAME,
    cron_job,
    dependency,
    edge_function,
    extension,
    grant,
    progress,
    queue,
    requirement,
    runtime,
    secret,
    table_trigger,
)
from orchestra.kinds import workload as workload_kind
from orchestra.kinds.project import Project
from orchestra.spec.model import Hmac, HttpTrigger, Pattern, Spec

__all__ = ["lower", "patterns"]


def patterns(spec: Spec) -> dict[str, Pattern]:
    """The pattern of each workload that has a feasible one; rules report those that have none."""
    found = ((w.name, pattern_of(w, spec.platform)) for w in spec.workloads)
    return {name: pattern for name, pattern in found if pattern is not None}


def lower(spec: Spec, chosen: Mapping[str, Pattern] | None = None) -> Program:
    """All resources of a project, sorted by the order of kinds and then by name: the spec's order never matters."""
    chosen = patterns(spec) if chosen is None else chosen
    order = {name: position for position, name in enumerate(BY_NAME)}
    resources = sorted(_resources(spec, chosen), key=lambda r: (order[r.kind], r.key))
    moved = tuple((w.moved, w.name) for w in spec.workloads if w.moved)
    return replace(Program.of(spec.project, resources), moved=moved, former=spec.moved)


def _resources(spec: Spec, chosen: Mapping[str, Pattern]) -> Iterator[Resource]:
    queued = [w for w in spec.workloads if chosen.get(w.name) == "queue"]
    wakes = any(has_edge(w) for w in queued)
    yield from requirement.lower(spec)
    signed = any(
        isinstance(t, HttpTrigger) and isinstance(t.auth, Hmac) for w in spec.workloads for t in w.triggers
    )
    yield from extension.lower(
        queues=bool(queued), jobs=bool(spec.workloads), wakes=wakes, secrets=wakes or signed
    )
    yield from runtime.lower()
    yield Project(spec.project)
    yield from dependency.lower(spec)
    yield from secret.lower(spec, wakes=wakes)
    for w in spec.workloads:
        pattern = chosen.get(w.name)
        if pattern is None:
            continue
        yield from workload_kind.lower(w, pattern, spec)
        yield from edge_function.lower(w)
        yield from table_trigger.lower(w, spec.project)
        yield from cron_job.lower(w, pattern, spec.project)
        if pattern == "queue":
            yield from queue.lower(w)
            yield from grant.lower(w, spec.project)
            yield from progress.lower(w, spec.project)
    if spec.workloads:
        yield from cron_job.lower_project(
            {w.poll_interval_ms for w in queued},
            spec.project,
            catches_up=any(catches_up(w, chosen.get(w.name)) for w in spec.workloads),
        )
