"""Draining: waiting for what a workload has now to be worked off, whatever comes in meanwhile.

A mark is set at the newest message, run and call. Drained is a workload that has nothing left up to its mark but
messages that are delayed and have never been handed out: waiting for those could take days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestra.ir.sql import ident
from orchestra.live.connect import Database
from orchestra.operate.session import READING

COUNTED: Final = 10_000
"""Up to how many of each are counted: what is left is looked at again and again."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Ids up to which a workload's work is waited for. `queue` is None where it has none."""

    workload: str
    queue: str | None
    message: int
    run: int
    call: int


@dataclass(frozen=True, slots=True)
class Left:
    """What is left up to a mark, each at most `COUNTED`; `delayed` is not waited for."""

    messages: int
    runs: int
    calls: int
    delayed: int

    @property
    def total(self) -> int:
        return self.messages + self.runs + self.calls


def marks(database: Database, project: str, workloads: Sequence[str]) -> tuple[Mark, ...]:
    """Where these workloads stand now; those that neither have a queue nor answer calls have nothing to wait for."""
    with database.reading(READING):
        rows = database.rows(
            """
            select w.name as workload, w.queue_name as queue,
              coalesce((select max(r.id) from orchestra.run r), 0) as run,
              coalesce((select max(c.id) from orchestra.call c), 0) as call
            from orchestra.workload w
            where w.project = %(project)s and w.name = any (%(names)s) and w.pattern <> 'scheduled_sql'
            order by w.name
            """,
            {"project": project, "names": list(workloads)},
        )
        return tuple(Mark(**row, message=_newest(database, row["queue"])) for row in rows)


def _newest(database: Database, queue: str | None) -> int:
    if queue is None:
        return 0
    table = ident("pgmq", f"q_{queue}")
    return int(database.rows(f"select coalesce(max(msg_id), 0) as newest from {table}")[0]["newest"])


def shut(database: Database, project: str, workloads: Sequence[str]) -> bool:
    """Whether somebody has paused the project or one of these meanwhile, so that they would never be worked off."""
    with database.reading(READING):
        (row,) = database.rows(
            """
            select exists (select from orchestra.project p where p.project = %(project)s and p.gate <> 'open')
              or exists (select from orchestra.workload w
                         where w.project = %(project)s and w.name = any (%(names)s) and w.paused) as shut
            """,
            {"project": project, "names": list(workloads)},
        )
    return bool(row["shut"])


def left(database: Database, project: str, mark: Mark) -> Left:
    """What of the work up to a mark has not ended. It only reads."""
    names = {
        "project": project,
        "workload": mark.workload,
        "run": mark.run,
        "call": mark.call,
        "most": COUNTED,
    }
    with database.reading(READING):
        (row,) = database.rows(
            """
            select
              (select count(*) from (
                 select from orchestra.run r
                 where r.project = %(project)s and r.workload = %(workload)s and r.id <= %(run)s
                   and r.status in ('waiting', 'running') limit %(most)s) x) as runs,
              (select count(*) from (
                 select from orchestra.call c
                 where c.project = %(project)s and c.workload = %(workload)s and c.id <= %(call)s
                   and c.status = 'running' limit %(most)s) x) as calls
            """,
            names,
        )
        messages = delayed = 0
        if mark.queue is not None:
            table = ident("pgmq", f"q_{mark.queue}")
            (found,) = database.rows(
                f"""
                select
                  (select count(*) from (
                     select from {table} m
                     where m.msg_id <= %(message)s and (m.vt <= now() or m.read_ct > 0) limit %(most)s) x) as messages,
                  (select count(*) from (
                     select from {table} m
                     where m.msg_id <= %(message)s and m.vt > now() and m.read_ct = 0 limit %(most)s) x) as delayed
                """,
                {"message": mark.message, "most": COUNTED},
            )
            messages, delayed = found["messages"], found["delayed"]
    return Left(messages, row["runs"], row["calls"], delayed)
