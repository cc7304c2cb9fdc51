"""Reading a snapshot: one transaction, one point in time, ten questions at most whatever there is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from orchestra.errors import UsageError
from orchestra.live import installed
from orchestra.live.connect import Database, Row
from orchestra.live.model import ServerFacts
from orchestra.status.judge import judge
from orchestra.status.model import Calls, Job, Pause, Project, Runs, Snapshot, Traffic, Workload

RUNS_READ: Final = 20_000
"""Rows of pg_cron's record: more than two hours of twenty jobs that run every ten seconds."""
TIMEOUT_MS: Final = 30_000
LOCK_TIMEOUT_MS: Final = 2_000

_BEGIN: Final = (
    "begin isolation level repeatable read read only; "
    f"set local statement_timeout = {TIMEOUT_MS}; set local lock_timeout = {LOCK_TIMEOUT_MS}"
)
_WORKER: Final = re.compile(r"cron_job\.(?P<workload>.+)\.worker-\d+")
"""A schedule's job says in the registry whose it is, a worker's by its address; all others are shared."""
_CALLS_ARE_READABLE: Final = """
    select exists (
      select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'net' and c.relname in ('_http_response', 'http_request_queue')
        and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
      having count(*) = 2
    ) as yes
"""


def read(
    database: Database, server: ServerFacts, project: str | None = None, workload: str | None = None
) -> Snapshot:
    """What is true now of one project or of all, or of one workload of it. UsageError where there is no such project or
    workload, VersionError and UsageError where another version is installed."""
    with database.reading(_BEGIN):
        return within(database, server, project, workload)


def within(
    database: Database, server: ServerFacts, project: str | None = None, workload: str | None = None
) -> Snapshot:
    """The same in the transaction that is open; one that sees one point in time is the caller's affair."""
    has_cron = "cron.job" in server.relations
    asked: dict[str, Any] = {"project": project, "zone": server.cron_timezone, "newest": RUNS_READ}
    installed.require(database, server, "status")
    projects = database.rows(_sql("projects"), asked)
    _require_project(database, projects, project)
    rows = database.rows(_sql("workloads"), asked)
    runs = {(r["project"], r["workload"]): _runs(r) for r in database.rows(_sql("schedules"), asked)}
    jobs = database.rows(_sql("jobs"), asked) if has_cron else []
    recorded: dict[int | None, Row] = {}
    if "cron.job_run_details" in server.relations:
        recorded = {r["jobid"]: r for r in database.rows(_sql("runs"), asked)}
    (calls,) = database.rows(_CALLS_ARE_READABLE)
    answers = database.rows(_sql("calls")) if calls["yes"] else []
    workloads = [_workload(r, runs.get((r["project"], r["workload"]))) for r in rows]
    if workload is not None:
        workloads = _only(workloads, workload)
    return judge(
        Snapshot(
            at=projects[0]["at"],
            database=server.database,
            role=server.role,
            projects=tuple(_project(r) for r in projects),
            workloads=tuple(workloads),
            jobs=tuple(_jobs(jobs, recorded, workload)),
            recorded_since=recorded.get(None, {}).get("first_start"),
            has_cron=has_cron,
            calls=Calls(**answers[0]) if answers else None,
            oldest_snapshot=_seconds(rows[0]["oldest_snapshot"]) if rows else None,
        )
    )


def _require_project(database: Database, projects: list[Row], wanted: str | None) -> None:
    if projects:
        return
    if wanted is None:
        raise UsageError("this database has no project yet", "orchestra apply makes what the spec declares")
    known = [r["project"] for r in database.rows("select project from orchestra.project order by 1 limit 11")]
    listed = ", ".join(known[:10]) + (" and more" if len(known) > 10 else "")
    raise UsageError(
        f"project {wanted} was never applied to this database",
        f"it has {listed}" if known else "orchestra apply makes what the spec declares",
    )


def _only(workloads: list[Workload], name: str) -> list[Workload]:
    found = [w for w in workloads if w.name == name]
    if not found:
        from difflib import get_close_matches

        close = get_close_matches(name, [w.name for w in workloads], 1)
        raise UsageError(
            f"there is no workload {name} in this database",
            f"did you mean {close[0]}?" if close else "orchestra status without --workload shows all",
        )
    return found


def _project(row: Row) -> Project:
    return Project(
        row["name"], row["environment"], row["paused"], _pause(row), row["kept_house_at"], row["sees_jobs"]
    )


def _pause(row: Row) -> Pause | None:
    if not row["pause_at"]:
        return None
    return Pause(row["pause_at"], row["pause_role"], row["pause_actor"], row["pause_reason"])


def _runs(row: Row) -> Runs:
    return Runs(**{name: row[name] for name in Runs.__slots__})


_AS_THEY_ARE: Final = (
    *(
        "project",
        "pattern",
        "handler",
        "paused",
        "depth",
        "waiting",
        "in_flight",
        "workers",
        "slots",
        "retrying",
    ),
    *(
        "runs_going_on",
        "calls_going_on",
        "dead_letters",
        "failed_lately",
        "last_error",
        "came_ever",
        "gone_ever",
        "front",
    ),
    *("wanted", "deployed", "last_wake_at", "wake_error", "max_depth", "rate_limited", "fault"),
)
"""Columns that are fields of the same name."""


def _workload(row: Row, runs: Runs | None) -> Workload:
    return Workload(
        **{name: row[name] for name in _AS_THEY_ARE},
        name=row["workload"],
        pause=_pause(row),
        depth_is_estimate=bool(row["depth_is_estimate"]),
        oldest_waiting=_seconds(row["oldest_waiting"]),
        last_failed_at=row["last_dead_at"],
        traffic=_traffic(row),
        wakes_missed=row["wakes_missed"] or 0,
        dropped=int(row["dropped"] or 0),
        beyond=tuple(row["alerts"]),
        max_age=_thousandth(row["max_age_ms"]),
        poll_interval=_thousandth(row["poll_interval_ms"]),
        runs=runs,
    )


def _traffic(row: Row) -> Traffic | None:
    if row["over"] is None or row["came"] is None:
        return None
    return Traffic(row["came"], row["ended"], row["failed"], row["over"].total_seconds())


def _jobs(rows: list[Row], recorded: Mapping[int | None, Row], workload: str | None) -> list[Job]:
    """The jobs of one workload are its own: what all workloads share is no concern of one alone."""
    found = []
    for row in rows:
        seen = recorded.get(row["jobid"]) if row["jobid"] is not None else None
        worker = _WORKER.fullmatch(row["address"])
        of = row["workload"] or (worker["workload"] if worker else None)
        if workload is not None and of not in (workload, None):
            continue
        found.append(
            Job(
                **{
                    name: value
                    for name, value in row.items()
                    if name not in ("address", "workload", "others")
                },
                workload=of,
                is_schedule=row["workload"] is not None,
                others=tuple(row["others"]),
                last_start=seen["last_start"] if seen else None,
                running=seen["running"] if seen else False,
                failing=seen["failing"] if seen else 0,
                message=seen["message"] if seen else "",
            )
        )
    return found


def _seconds(interval: timedelta | None) -> float | None:
    return interval.total_seconds() if interval is not None else None


def _thousandth(ms: int | None) -> float | None:
    return ms / 1_000 if ms is not None else None


@cache
def _sql(name: str) -> str:
    return files("orchestra.status").joinpath(f"{name}.sql").read_text("utf-8")
