"""Pausing and resuming: what the gate of a project or a workload says, and what waits behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestra.errors import UsageError
from orchestra.live.connect import Database
from orchestra.operate.session import READING


@dataclass(frozen=True, slots=True)
class Standing:
    """A workload as an operator finds it. `waiting` are messages that could begin now (at most 10,000 are counted),
    `in_flight` those that workers hold; `next_due` is when its schedules fire next, None without any."""

    workload: str
    paused: bool
    waiting: int | None
    in_flight: int
    next_due: datetime | None


@dataclass(frozen=True, slots=True)
class Gate:
    """A project, whether it is paused as a whole, and its workloads by name."""

    project: str
    paused: bool
    workloads: tuple[Standing, ...]

    def of(self, names: Sequence[str]) -> tuple[Standing, ...]:
        """Those of these names, in this order; all without names. UsageError for one that is not there."""
        known = {w.workload: w for w in self.workloads}
        for name in names:
            if name not in known:
                from difflib import get_close_matches

                close = get_close_matches(name, known, 1)
                listed = ", ".join(list(known)[:10]) or "none"
                raise UsageError(
                    f"project {self.project} has no workload {name!r} in this database",
                    f"did you mean {close[0]}?" if close else f"it has {listed}",
                )
        return tuple(known[name] for name in dict.fromkeys(names)) if names else self.workloads


def gate(database: Database, project: str) -> Gate:
    """How a project stands now. It only reads."""
    with database.reading(READING):
        rows = database.rows(
            """
            select w.name as workload, w.paused, s.waiting, s.in_flight,
              (select min(orchestra.next_due(c.cron, c.every_ms, c.timezone, now()))
               from orchestra.schedule c where c.project = w.project and c.workload = w.name) as next_due
            from orchestra.status(%(project)s) s
            join orchestra.workload w on w.project = s.project and w.name = s.workload
            order by w.name
            """,
            {"project": project},
        )
        (own,) = database.rows(
            "select gate = 'paused' as paused from orchestra.project where project = %(project)s",
            {"project": project},
        )
    return Gate(project, own["paused"], tuple(Standing(**row) for row in rows))


def turn(database: Database, project: str, workload: str | None, *, paused: bool) -> None:
    """Pauses or resumes one workload, or the whole project; in a transaction of the caller's."""
    verb = "pause" if paused else "resume"
    database.rows(
        f"select orchestra.{verb}(%(project)s, %(workload)s)", {"project": project, "workload": workload}
    )


def in_flight(database: Database, project: str, workloads: Sequence[str]) -> int:
    """What has begun and not ended: messages that workers hold, calls, runs of scheduled SQL. Without names, of the
    whole project."""
    mine = "x.project = %(project)s and (%(names)s::text[] = '{}' or x.workload = any (%(names)s))"
    with database.reading(READING):
        (row,) = database.rows(
            f"""
            select
              (select coalesce(sum(cardinality(x.held)), 0) from orchestra.slot x
               where {mine} and x.token is not null and x.lease_until > now())
              + (select count(*) from orchestra.call x where {mine} and x.status = 'running')
              + (select count(*) from orchestra.scheduled_run x where {mine} and x.status = 'running') as total
            """,
            {"project": project, "names": list(workloads)},
        )
    return int(row["total"])
