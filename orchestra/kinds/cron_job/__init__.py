"""`cron_job.NAME`: a pg_cron job of ours: a tick, a worker of an SQL-handled queue, a schedule, the housekeeping, what
makes up for schedules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from orchestra.classify.features import has_edge
from orchestra.ir import cron
from orchestra.ir.category import Category
from orchestra.ir.program import Resource
from orchestra.ir.sql import call, dollar, literal, value
from orchestra.kinds.kind import Kind, Server, read_sql
from orchestra.spec.durations import milliseconds
from orchestra.spec.model import Pattern, ScheduleTrigger, Workload

_LABEL: Final = re.compile(r"[0-9]+(ms|[smhd])")
_EXACT: Final = "a rule refuses intervals that pg_cron cannot represent before they get here"


@dataclass(frozen=True, slots=True)
class CronJob(Resource):
    """One job. For a schedule of the spec `workload` and `position` say whose it is, and the row of
    `orchestra.schedule` holds what the guard in the database computes due times from."""

    kind: ClassVar[str] = "cron_job"
    job: str
    schedule: str
    command: str
    workload: str | None = None
    position: int | None = None
    cron: str | None = None
    every_ms: int | None = None
    timezone: str | None = None
    overlap: str | None = None
    catchup_window_ms: int | None = None
    here: bool = True
    """False where somebody sent it to another database or server, which `cron.schedule` would not undo."""

    @property
    def object_name(self) -> str:
        return self.job


def lower(workload: Workload, pattern: Pattern, project: str) -> Iterator[CronJob]:
    schedules = [t for t in workload.triggers if isinstance(t, ScheduleTrigger)]
    for position, trigger in enumerate(schedules, 1):
        # The first one keeps its name when another is written beside it.
        key = workload.name if position == 1 else f"{workload.name}.schedule-{position}"
        yield CronJob(
            key,
            _job(project, key),
            _schedule(trigger),
            _call("fire", project, workload.name, position),
            workload.name,
            position,
            trigger.cron,
            trigger.every_ms,
            trigger.timezone,
            trigger.overlap,
            trigger.catchup_window_ms,
        )
    if pattern == "queue" and not has_edge(workload):
        for number in range(1, workload.concurrency.limit + 1):
            key = f"{workload.name}.worker-{number}"
            command = _call("drain_sql", project, workload.name, number)
            yield CronJob(key, _job(project, key), _every(workload.poll_interval_ms), command)


def lower_project(intervals_ms: Iterable[int], project: str, *, catches_up: bool) -> Iterator[CronJob]:
    """The jobs that a project's workloads share: a tick an interval, the housekeeping of each minute, and beside it the
    retries and missed times of schedules, which may run for long."""
    for interval in sorted(set(intervals_ms)):
        key = f"tick.{cron.label(interval)}"
        yield CronJob(key, _job(project, key), _every(interval), _call("tick", project, interval))
    yield CronJob("housekeep.1m", _job(project, "housekeep.1m"), "* * * * *", _call("housekeep", project))
    if catches_up:
        yield CronJob("catch-up.1m", _job(project, "catch-up.1m"), "* * * * *", _call("catch_up", project))


def command_now(job: CronJob, project: str) -> str:
    """The command that this version writes for a job of that key, whatever an earlier one wrote; a key that it does not
    know keeps its own."""
    if job.workload is not None and job.position is not None:
        return _call("fire", project, job.workload, job.position)
    first, _, last = job.key.partition(".")
    match first, last:
        case "housekeep", "1m":
            return _call("housekeep", project)
        case "catch-up", "1m":
            return _call("catch_up", project)
        case "tick", label if _LABEL.fullmatch(label):
            return _call("tick", project, milliseconds(label))
        case workload, worker if worker.removeprefix("worker-").isdecimal():
            return _call("drain_sql", project, workload, int(worker.removeprefix("worker-")))
        case _:
            return job.command


def of_project(job: CronJob, project: str) -> CronJob:
    """The same job under this name of its project."""
    return replace(job, job=_job(project, job.key), command=command_now(job, project))


def is_shared(key: str) -> bool:
    """Whether a job of this key is the project's and no workload's."""
    return key.startswith(("tick.", "housekeep.", "catch-up."))


def _job(project: str, key: str) -> str:
    return f"orchestra:{project}:{key}"


def _call(procedure: str, *arguments: str | int) -> str:
    return f"call orchestra.{procedure}({', '.join(value(a) for a in arguments)})"


def _every(interval_ms: int) -> str:
    schedule = cron.every(interval_ms)
    assert schedule is not None, _EXACT
    return schedule


def _schedule(trigger: ScheduleTrigger) -> str:
    if trigger.every_ms is not None:
        return _every(trigger.every_ms)
    assert trigger.cron is not None, "a schedule has either cron or every"
    if trigger.timezone is None or trigger.timezone in {"UTC", "GMT", "Etc/UTC"}:
        return trigger.cron
    return cron.in_zone(trigger.cron, trigger.timezone)


def ensure(job: CronJob, project: str, server: Server) -> tuple[str, ...]:
    schedule = call("cron.schedule", literal(job.job), literal(job.schedule), dollar(job.command, ""))
    if job.workload is None:
        return (schedule,)
    columns = "project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms"
    values = ", ".join(
        value(item)
        for item in (
            project,
            job.workload,
            job.position,
            job.cron,
            job.every_ms,
            job.timezone,
            job.overlap,
            job.catchup_window_ms,
        )
    )
    return (
        f"insert into orchestra.schedule ({columns})\nvalues ({values})\n"
        "on conflict (project, workload, position) do update set\n"
        "  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,\n"
        "  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms",
        schedule,
    )


def remove(job: CronJob, project: str) -> tuple[str, ...]:
    unschedule = call("cron.unschedule", literal(job.job))
    if job.workload is None:
        return (unschedule,)
    return (
        unschedule,
        f"delete from orchestra.schedule where project = {literal(project)} "
        f"and workload = {literal(job.workload)} and position = {value(job.position)}",
    )


KIND = Kind(
    "cron_job",
    CronJob,
    ensure,
    remove,
    read=read_sql(__name__),
    needs=("cron.job", "orchestra.schedule"),
    bare_read=read_sql(__name__, "read_bare.sql"),
    categories={
        "schedule": Category.RESCHEDULE,
        "cron": Category.RESCHEDULE,
        "every_ms": Category.RESCHEDULE,
        "timezone": Category.RESCHEDULE,
        "catchup_window_ms": Category.RESCHEDULE,
    },
    replaced_by=frozenset({"here"}),
    plural="cron jobs",
)
