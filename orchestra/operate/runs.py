"""Runs of pipelines, and of the items of one request that are counted together: which, how far, and their two verbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from orchestra.live.connect import Database
from orchestra.operate.session import READING

STATUSES: Final = ("waiting", "running", "done", "failed", "cancelled")
GOING_ON: Final = frozenset({"waiting", "running"})
_LETTERS: Final = 20


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a run, or `items`, the one step of a plain request. Counts are of tasks."""

    step: str
    status: str
    total: int
    done: int
    failed: int
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A dead letter of a run that waits."""

    id: int
    step: str | None
    i: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Run:
    """`attempt` counts how often it was tried as a whole; `caller` is who asked for it. Steps and failures are those of
    `show`: the list has only the counts."""

    id: int
    workload: str
    status: str
    attempt: int
    caller: str | None
    started_at: datetime
    finished_at: datetime | None
    error: str | None
    total: int
    done: int
    failed: int
    input: str | None = None
    steps: tuple[Step, ...] = ()
    failures: tuple[Failure, ...] = field(default=())

    @property
    def goes_on(self) -> bool:
        return self.status in GOING_ON


_COLUMNS: Final = """
    r.id, r.workload, r.status, r.attempt, r.caller, r.started_at, r.finished_at, r.error,
    coalesce(s.total, 0) as total, coalesce(s.done, 0) as done, coalesce(s.failed, 0) as failed
"""
_COUNTS: Final = """
    left join lateral (
      select sum(s.total) as total, sum(s.done) as done, sum(s.failed) as failed
      from orchestra.step s where s.run = r.id
    ) s on true
"""


def listing(
    database: Database,
    project: str,
    *,
    workload: str | None = None,
    statuses: Sequence[str] = (),
    since: datetime | None = None,
    limit: int,
) -> tuple[list[Run], bool]:
    """The newest `limit` runs, the newest first, and whether there are more. It only reads."""
    with database.reading(READING):
        rows = database.rows(
            f"""
            select {_COLUMNS} from (
              select * from orchestra.run r
              where r.project = %(project)s and (%(workload)s::text is null or r.workload = %(workload)s)
                and (%(statuses)s::text[] is null or r.status = any (%(statuses)s))
                and (%(since)s::timestamptz is null or r.started_at >= %(since)s)
              order by r.id desc limit %(limit)s + 1
            ) r {_COUNTS}
            order by r.id desc
            """,
            {
                "project": project,
                "workload": workload,
                "statuses": list(statuses) or None,
                "since": since,
                "limit": limit,
            },
        )
    return [_run(row) for row in rows[:limit]], len(rows) > limit


def show(database: Database, project: str, ident: int) -> Run | None:
    """One run with its steps in order and the first of its dead letters."""
    names = {"project": project, "id": ident, "most": _LETTERS}
    with database.reading(READING):
        rows = database.rows(
            f"select {_COLUMNS}, r.input::text as input from orchestra.run r {_COUNTS} "
            "where r.project = %(project)s and r.id = %(id)s",
            names,
        )
        if not rows:
            return None
        steps = database.rows(
            "select s.step, s.status, s.total, s.done, s.failed, s.started_at, s.finished_at from orchestra.step s "
            "where s.run = %(id)s order by s.position, s.step",
            names,
        )
        letters = database.rows(
            """
            select d.id, d.headers #>> '{orchestra,step}' as step, d.error,
              case when d.headers #>> '{orchestra,i}' ~ '^[0-9]{1,9}$'
                   then (d.headers #>> '{orchestra,i}')::int end as i
            from orchestra.dead_letter d
            where d.project = %(project)s and d.workload = %(workload)s and d.redriven_at is null
              and d.headers #>> '{orchestra,run}' = %(id)s::text
            order by d.id limit %(most)s
            """,
            {**names, "workload": rows[0]["workload"]},
        )
    return _run(
        {
            **rows[0],
            "steps": tuple(Step(**row) for row in steps),
            "failures": tuple(Failure(**row) for row in letters),
        }
    )


def _run(row: dict[str, Any]) -> Run:
    return Run(**{**row, **{name: int(row[name]) for name in ("total", "done", "failed")}})


def cancel(database: Database, ident: int) -> bool:
    """Ends a run, in a transaction of the caller's; False where it had ended already."""
    return bool(database.rows("select orchestra.cancel_run(%(id)s) as ended", {"id": ident})[0]["ended"])


def retry(database: Database, ident: int) -> None:
    """Takes up a run that has failed or been cancelled, at what has not been done; in a transaction of the caller's."""
    database.rows("select orchestra.retry_run(%(id)s)", {"id": ident})
