"""What rules look at: the spec, and what was worked out once for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestra.check.cron import Cron, Fault, read_cron
from orchestra.check.place import within
from orchestra.classify import Capacity, Decision, decide, features, ignored, invocations_a_month, prove
from orchestra.diagnostics import Span
from orchestra.spec.model import (
    HttpTrigger,
    Pattern,
    Platform,
    ScheduleTrigger,
    Spec,
    SqlHandler,
    Step,
    TableTrigger,
    Workload,
)
from orchestra.sql import BoundSql, Inspection, bind, inspect


@dataclass(frozen=True, slots=True)
class Judged:
    """A workload with what the classifier says of it. What only few rules ask for is worked out when they ask."""

    workload: Workload
    decision: Decision
    platform: Platform
    pattern: Pattern | None
    queue: bool
    edge: bool
    """Whether any of its work runs in an Edge Function."""
    sql: bool
    """Whether its work is one SQL statement, and no pipeline."""

    @classmethod
    def of(cls, workload: Workload, platform: Platform) -> Judged:
        decision = decide(workload, platform)
        pattern = decision.pattern
        sql = not workload.steps and isinstance(workload.handler, SqlHandler)
        edge = features.has_edge(workload)
        return cls(workload, decision, platform, pattern, pattern == "queue", edge, sql)

    @property
    def capacity(self) -> Capacity:
        return prove(self.workload, self.platform, self.pattern) if self.pattern else Capacity()

    @property
    def invocations_month(self) -> float | None:
        """That of its capacity, without the rest."""
        return invocations_a_month(self.workload, self.platform, self.pattern) if self.pattern else None

    @property
    def ignored(self) -> tuple[str, ...]:
        """Keys that stand in the file and have no meaning for the pattern, sorted."""
        return ignored(self.workload, self.pattern) if self.pattern else ()

    @property
    def function(self) -> bool:
        """Whether it needs an Edge Function, to work or to take requests."""
        return self.edge or any(isinstance(t, HttpTrigger) for t in self.workload.triggers)

    @property
    def not_here(self) -> bool:
        """Whether it cannot run because the platform has no Edge Functions."""
        return self.decision.problem is not None and self.edge and self.platform.provider != "supabase"

    @property
    def override_fails(self) -> bool:
        """Whether its own `pattern` is what cannot be (the classifier had a choice)."""
        return self.decision.problem is not None and self.decision.chosen is not None


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
    period_ms: int | None
    """The shortest time between two fires."""

    @property
    def workload(self) -> Workload:
        return self.judged.workload

    def at(self, key: str) -> Span:
        return self.workload.at(f"{self.trigger.path}.{key}")


@dataclass(frozen=True, slots=True)
class Facts:
    spec: Spec
    judged: tuple[Judged, ...]
    sql: tuple[Sql, ...]
    schedules: tuple[Scheduled, ...]
    by_name: dict[str, Judged] = field(repr=False)
    queues: tuple[Judged, ...] = field(repr=False)
    """Those whose pattern is a queue."""
    pipelines: tuple[Workload, ...] = field(repr=False)
    http: tuple[tuple[Workload, HttpTrigger], ...] = field(repr=False)
    tables: tuple[tuple[Workload, TableTrigger], ...] = field(repr=False)

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
    judged = tuple(Judged.of(w, spec.platform) for w in spec.workloads)
    triggers = [(w, t) for w in spec.workloads for t in w.triggers]
    return Facts(
        spec,
        judged,
        tuple(sql for w in spec.workloads for sql in _sql(w)),
        tuple(s for j in judged for s in _schedules(j)),
        {j.workload.name: j for j in judged},
        tuple(j for j in judged if j.queue),
        tuple(w for w in spec.workloads if w.steps),
        tuple((w, t) for w, t in triggers if isinstance(t, HttpTrigger)),
        tuple((w, t) for w, t in triggers if isinstance(t, TableTrigger)),
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
            period_ms = trigger.every_ms or (cron.shortest_gap_ms if cron else None)
            found.append(Scheduled(judged, trigger, cron, faults, period_ms))
    return found
