"""What began by itself or by a call, and is no run: attempts of scheduled SQL, due times of queues and what became of
their messages, due times at which nothing began, calls that a function works off behind its answer, and runs of cron
jobs that failed before the work of their schedule could begin.

The runtime's own tables are what is believed: pg_cron says of a job that makes a call that it succeeded, whatever came
of it. Of pg_cron's record only failures count that the runtime never heard of, and only the newest rows of it are read.
It only reads, by index, at most as many rows of a workload as are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from orchestra.ir.sql import ident
from orchestra.live.connect import Database, Row
from orchestra.operate.session import READING

Kind = Literal["sql", "message", "due", "job", "call"]

STATUSES: Final = ("waiting", "running", "done", "failed", "lost", "skipped", "paused", "ended")
RECORD_READ: Final = 20_000
"""Rows of pg_cron's record, which has no index but that of its key."""
SEARCHED: Final = 1_000
"""Due times of a workload that are looked at where some statuses are asked for: what became of them is known later."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_NUMBERED: Final = re.compile(r"([scj])([0-9]{1,18})")
_SOURCES: Final = {"s": "scheduled_runs", "c": "calls", "j": "cron_failures"}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """`id` tells it from all others of the project: `s12`, `c7`, `j901`, or `nightly@2030-01-31T02:30:00Z`.

    `kind` is `sql` (an attempt of scheduled SQL), `message` (a due time of a queue and its message), `due` (a due time
    at which nothing began), `job` (a run of the cron job that failed before that) or `call`. `status` is one of
    `STATUSES`: of a message that was not kept it is only known that it has `ended`. `input` is JSON.
    """

    id: str
    kind: Kind
    workload: str
    status: str
    due_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempt: int | None = None
    error: str | None = None
    sqlstate: str | None = None
    retry_at: datetime | None = None
    message_id: int | None = None
    dead_letter: int | None = None
    job: str | None = None
    input: str | None = None
    attempts: tuple[Occurrence, ...] = ()

    @property
    def at(self) -> datetime | None:
        """Its place in time."""
        return self.started_at or self.due_at


@dataclass(frozen=True, slots=True)
class Page:
    """The newest, the newest first, and whether there are more."""

    found: tuple[Occurrence, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which rows a query of this module gives: all that are given have to hold."""

    project: str
    workload: str | None = None
    since: datetime | None = None
    statuses: Sequence[str] = ()
    number: int | None = None
    due: datetime | None = None
    limit: int = 1

    def names(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "workload": self.workload,
            "since": self.since,
            "statuses": list(self.statuses) or None,
            "number": self.number,
            "due": self.due,
            "limit": self.limit,
            "newest": RECORD_READ,
        }


def scheduled(
    database: Database,
    project: str,
    *,
    workload: str | None = None,
    statuses: Sequence[str] = (),
    since: datetime | None = None,
    limit: int,
) -> Page:
    """Those of schedules. `failed` finds what was lost as well."""
    wanted = _wanted(statuses)
    asked = _Asked(project, workload, since, wanted, limit=limit + 1)
    # What became of a message is not asked for in the query: of due times all are read, and chosen from afterwards.
    dues = replace(asked, statuses=(), limit=max(limit + 1, SEARCHED) if wanted else limit + 1)
    with database.reading(READING):
        found = [
            *_read(database, "scheduled_runs", asked),
            *_read(database, "cron_failures", asked),
            *_with_messages(database, project, _rows(database, "due_times", dues)),
        ]
    return _page([one for one in found if not wanted or one.status in wanted], limit)


def calls(
    database: Database,
    project: str,
    *,
    workload: str | None = None,
    statuses: Sequence[str] = (),
    since: datetime | None = None,
    limit: int,
) -> Page:
    """Those that functions have accepted and work off behind their answers."""
    asked = _Asked(project, workload, since, _wanted(statuses), limit=limit + 1)
    with database.reading(READING):
        return _page(_read(database, "calls", asked), limit)


def is_id(text: str) -> bool:
    """Whether it has the form of an id, be there such a one or not."""
    name, _, time = text.rpartition("@")
    return _NUMBERED.fullmatch(text) is not None or (bool(name) and moment(time) is not None)


def show(database: Database, project: str, which: str) -> Occurrence | None:
    """One of them by its id, None where there is none; an attempt of scheduled SQL with all those of its due time."""
    with database.reading(READING):
        if (numbered := _NUMBERED.fullmatch(which)) is not None:
            found = _read(database, _SOURCES[numbered[1]], _Asked(project, number=int(numbered[2])))
            return _with_attempts(database, project, found[0]) if found else None
        workload, _, time = which.rpartition("@")
        due = moment(time)
        if due is None:
            return None
        rows = _rows(database, "due_times", _Asked(project, workload, due=due))
        return next(iter(_with_messages(database, project, rows)), None)


def moment(text: str) -> datetime | None:
    """A time with its time zone, None for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _wanted(statuses: Sequence[str]) -> tuple[str, ...]:
    return (*statuses, "lost") if "failed" in statuses else tuple(statuses)


def _page(found: Iterable[Occurrence], limit: int) -> Page:
    ordered = sorted(found, key=lambda one: (one.at or _NEVER, one.id), reverse=True)
    return Page(tuple(ordered[:limit]), len(ordered) > limit)


def _with_attempts(database: Database, project: str, one: Occurrence) -> Occurrence:
    if one.kind != "sql":
        return one
    names = {"project": project, "workload": one.workload, "at": one.started_at, "due": one.due_at}
    return replace(one, attempts=tuple(Occurrence(**row) for row in database.rows(_sql("attempts"), names)))


def _read(database: Database, source: str, asked: _Asked) -> list[Occurrence]:
    return [Occurrence(**row) for row in _rows(database, source, asked)]


def _rows(database: Database, source: str, asked: _Asked) -> list[Row]:
    if source == "cron_failures":
        (seen,) = database.rows(
            "select coalesce(pg_catalog.has_table_privilege("
            "pg_catalog.to_regclass('cron.job_run_details'), 'select'), false) as yes"
        )
        if not seen["yes"]:
            return []
    return database.rows(_sql(source), asked.names())


def _with_messages(database: Database, project: str, rows: Sequence[Row]) -> list[Occurrence]:
    """Due times with what became of their messages: where they lie now, or as which dead letter."""
    sent: dict[str, tuple[str, list[int]]] = {}
    for row in rows:
        if row["message_id"] is not None:
            sent.setdefault(row["workload"], (row["queue"], []))[1].append(row["message_id"])
    places = _places(database, sent) if sent else {}
    letters = _letters(database, project, rows) if sent else {}
    return [_occurrence(row, places, letters) for row in rows]


def _places(database: Database, sent: dict[str, tuple[str, list[int]]]) -> dict[tuple[str, int], Row]:
    """Where messages lie, by workload and id: in their queue, or in its archive. A queue that somebody has dropped has
    none."""
    tables = [f"{kind}_{queue}" for queue, _ in sent.values() for kind in "qa"]
    there = {
        row["name"]
        for row in database.rows(
            "select c.relname::text as name from pg_catalog.pg_class c "
            "where c.relnamespace = pg_catalog.to_regnamespace('pgmq') and c.relname = any (%(tables)s)",
            {"tables": tables},
        )
    }
    parts: list[str] = []
    names: dict[str, Any] = {}
    for place, (workload, (queue, ids)) in enumerate(sent.items()):
        names |= {f"workload_{place}": workload, f"ids_{place}": ids}
        for table, archived in ((f"q_{queue}", "null::timestamptz"), (f"a_{queue}", "m.archived_at")):
            if table in there:
                parts.append(
                    f"select %(workload_{place})s::text as workload, m.msg_id, {archived} as archived_at "
                    f"from {ident('pgmq', table)} m where m.msg_id = any (%(ids_{place})s)"
                )
    if not parts:
        return {}
    return {(row["workload"], row["msg_id"]): row for row in database.rows(" union all ".join(parts), names)}


def _letters(database: Database, project: str, rows: Sequence[Row]) -> dict[tuple[str, int], Row]:
    sent = [row for row in rows if row["message_id"] is not None]
    found = database.rows(
        """
        select d.id, d.workload, d.msg_id, d.error, d.sqlstate, d.attempts, d.dead_at
        from unnest(%(workloads)s::text[], %(ids)s::bigint[], %(times)s::timestamptz[]) s(workload, msg_id, at)
        join orchestra.dead_letter d
          on d.project = %(project)s and d.workload = s.workload and d.msg_id = s.msg_id and d.dead_at >= s.at
        """,
        {
            "project": project,
            "workloads": [row["workload"] for row in sent],
            "ids": [row["message_id"] for row in sent],
            "times": [row["started_at"] for row in sent],
        },
    )
    return {(row["workload"], row["msg_id"]): row for row in found}


def _occurrence(
    row: Row, places: dict[tuple[str, int], Row], letters: dict[tuple[str, int], Row]
) -> Occurrence:
    told = {name: value for name, value in row.items() if name not in ("queue", "held", "last_error")}
    if row["message_id"] is None:
        return Occurrence(**told)
    key = (row["workload"], row["message_id"])
    if (letter := letters.get(key)) is not None:
        told |= {
            "status": "failed",
            "finished_at": letter["dead_at"],
            "attempt": letter["attempts"],
            "error": letter["error"],
            "sqlstate": letter["sqlstate"],
            "dead_letter": letter["id"],
        }
    elif (place := places.get(key)) is None:
        told["status"] = "ended"
    elif place["archived_at"] is not None:
        told |= {"status": "done", "finished_at": place["archived_at"]}
    else:
        told |= {"status": "running" if row["held"] else "waiting", "error": row["last_error"]}
    return Occurrence(**told)


@cache
def _sql(name: str) -> str:
    return files("orchestra.operate").joinpath(f"{name}.sql").read_text("utf-8")
