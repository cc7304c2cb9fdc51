"""What rules look at: the spec, and what was worked out once for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestra.check.cron import Cron, Fault, read_cron
from orchestra.check.place import within
from orchestra.classify import Classification, classify, features
from orchestra.diagnostics import Span
from orchestra.spec.model import HttpTrigger, Platform, ScheduleTrigger, Spec, SqlHandler, Step, Workload
from orchestra.sql import BoundSql, Inspection, bind, inspect


@dataclass(frozen=True, slots=True)
class Judged:
    """A workload with what the classifier says of it."""

    workload: Workload
    verdict: Classification
    platform: Platform

    @property
    def pattern(self) -> str | None:
        return self.verdict.pattern

    @property
    def queue(self) -> bool:
        return self.verdict.pattern == "queue"

    @property
    def edge(self) -> bool:
        """Whether any of its work runs in an Edge Function."""
        return features.has_edge(self.workload)

    @property
    def sql(self) -> bool:
        """Whether its work is one SQL statement, and no pipeline."""
        return not self.workload.steps and isinstance(self.workload.handler, SqlHandler)

    @property
    def function(self) -> bool:
        """Whether it needs an Edge Function, to work or to take requests."""
        return self.edge or any(isinstance(t, HttpTrigger) for t in self.workload.triggers)

    @property
    def not_here(self) -> bool:
        """Whether it cannot run because the platform has no Edge Functions."""
        return self.verdict.problem is not None and self.edge and self.platform.provider != "supabase"

    @property
    def override_fails(self) -> bool:
        """Whether its own `pattern` is what cannot be (the classifier had a choice, and gives its reasons)."""
        return self.verdict.problem is not None and bool(self.verdict.reasons)


@dataclass(frozen=True, slots=True)
class Sql:
    """The SQL of a workload or of one of its steps. `path` is where its `run` stands in the workload."""

    workload: Workload
    step: Step | None
    handler: SqlHandler
    path: str
    inspection: Inspection
    bound: BoundSql

    @property
    def sound(self) -> bool:
        """Whether it is one statement that parses; what else is wrong with it is only worth saying then."""
        return self.inspection.error is None and self.inspection.statements == 1

    def at(self, offset: int | None = None, key: str = "sql") -> Span:
        """The place of a character of the SQL, or of a key of the `run` block."""
        span = self.workload.at(f"{self.path}.{key}")
        return within(span, self.handler.sql, offset) if key == "sql" and offset is not None else span


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A schedule with its cron expression read: `cron` None where it has none or `faults` say why it cannot be."""

    judged: Judged
    trigger: ScheduleTrigger
    cron: Cron | None
    faults: tuple[Fault, ...]

    @property
    def workload(self) -> Workload:
        return self.judged.workload

    @property
    def period_ms(self) -> int | None:
        """The shortest time between two fires."""
        return self.trigger.every_ms or (self.cron.shortest_gap_ms if self.cron else None)

    def at(self, key: str) -> Span:
        return self.workload.at(f"{self.trigger.path}.{key}")


@dataclass(frozen=True, slots=True)
class Facts:
    spec: Spec
    judged: tuple[Judged, ...]
    sql: tuple[Sql, ...]
    schedules: tuple[Scheduled, ...]
    by_name: dict[str, Judged] = field(repr=False)

    @property
    def workloads(self) -> tuple[Workload, ...]:
        return self.spec.workloads

    def says(self, workload: Workload, path: str) -> bool:
        """Whether a key stands in the file, for this workload or among the defaults."""
        if path in workload.written:
            return True
        parent, _, _ = f"defaults.{path}".rpartition(".")
        # A key that is not there answers with the nearest around it, as its parent does.
        return self.spec.at(f"defaults.{path}", key=True) != self.spec.at(parent, key=True)

    def origin(self, workload: Workload, path: str) -> Span:
        """Where a value comes from: the workload's own key, or that of the defaults."""
        if path in workload.written or not self.says(workload, path):
            return workload.at(path)
        return self.spec.at(f"defaults.{path}")


def gather(spec: Spec) -> Facts:
    """One pass over the workloads."""
    judged = tuple(Judged(w, classify(w, spec.platform), spec.platform) for w in spec.workloads)
    return Facts(
        spec,
        judged,
        tuple(sql for w in spec.workloads for sql in _sql(w)),
        tuple(s for j in judged for s in _schedules(j)),
        {j.workload.name: j for j in judged},
    )


def _sql(workload: Workload) -> list[Sql]:
    found = []
    if isinstance(workload.handler, SqlHandler):
        found.append(_of(workload, None, workload.handler, "run"))
    for step in workload.steps:
        if isinstance(step.handler, SqlHandler):
            found.append(_of(workload, step, step.handler, f"steps.{step.name}.run"))
    return found


def _of(workload: Workload, step: Step | None, handler: SqlHandler, path: str) -> Sql:
    return Sql(workload, step, handler, path, inspect(handler.sql), bind(handler.sql))


def _schedules(judged: Judged) -> list[Scheduled]:
    found = []
    for trigger in judged.workload.triggers:
        if isinstance(trigger, ScheduleTrigger):
            cron, faults = read_cron(trigger.cron) if trigger.cron is not None else (None, ())
            found.append(Scheduled(judged, trigger, cron, faults))
    return found
