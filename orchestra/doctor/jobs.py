"""pg_cron: who sees which jobs, whether its worker lives, and whether jobs really run."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, Final

from orchestra.doctor.ask import Facts
from orchestra.doctor.model import Check, Group, State
from orchestra.doctor.said import lasting, unasked
from orchestra.ir.sql import ident, literal
from orchestra.plan.server import cron_elsewhere, cron_timezone
from orchestra.report.words import count

_GROUP = Group.JOBS
STUCK_S: Final = 300
"""A job that is due every minute, or more often, has begun a run in this time where jobs run at all."""


def checks(facts: Facts, busiest: int | None, *, wanted: bool) -> Iterator[Check]:
    """`busiest` is how many jobs the specs run at once, None without any; `wanted`: they have jobs."""
    server = facts.server
    if server is None:
        return
    if wanted or server.pg_cron is not None:
        for fault in (cron_elsewhere(server), cron_timezone(server)):
            if fault is not None:
                yield Check(_GROUP, fault.code, State.FAILED, fault.message, fault.remedy)
    if server.pg_cron is None:
        return
    yield from _settings(facts, busiest)
    if cron_elsewhere(server) is not None:
        return
    alive = yield from _worker(facts)
    yield from _seen(facts)
    yield from _runs(facts, alive)


def _settings(facts: Facts, busiest: int | None) -> Iterator[Check]:
    more = facts.of("server").value or {}
    settings: dict[str, str] = more.get("settings") or {}
    most = settings.get("cron.max_running_jobs")
    if most is None:
        if not _stand_in(facts):
            yield Check(
                _GROUP,
                "settings",
                State.UNKNOWN,
                "pg_cron's settings could not be asked: they are for roles of pg_read_all_settings",
                command=f"grant pg_read_all_settings to {ident(facts.server.role)}" if facts.server else "",
            )
        return
    room, limit = int(most), f"cron.max_running_jobs is {most}"
    if settings.get("cron.use_background_workers") == "on":
        workers = int(settings.get("max_worker_processes", "8"))
        if workers < room:
            room, limit = workers, f"max_worker_processes is {workers}, and pg_cron runs jobs in these"
    if busiest is None:
        yield Check(_GROUP, "room", State.OK, limit)
    elif busiest <= room:
        yield Check(_GROUP, "room", State.OK, f"{limit}; the specs run up to {count(busiest, 'job')} at once")
    else:
        yield Check(
            _GROUP,
            "room",
            State.WARNING,
            f"{limit}, and the specs run up to {busiest} jobs at once: the others wait, and ticks come late",
            "give it more and restart the server, or lower concurrency.limit of SQL handlers (orchestra explain)",
            f"alter system set {limit.split(' is ')[0]} = {busiest + 4}",
        )


def _stand_in(facts: Facts) -> bool:
    """The embedded database's pg_cron is plain SQL: it has no settings, and its worker is a program beside it."""
    return not (facts.of("extensions").value or {}).get("pg_cron", {}).get("native", True)


def _worker(facts: Facts) -> Generator[Check, None, bool | None]:
    """Yields a check; returns whether the launcher is there (None: unknown)."""
    answer = facts.of("workers")
    if answer.value is None:
        yield unasked(_GROUP, "launcher", "pg_cron's launcher", answer)
        return None
    if answer.value["cron"]:
        yield Check(_GROUP, "launcher", State.OK, "pg_cron's launcher is running")
        return True
    said = "pg_cron's launcher is not running, so no job will ever begin"
    if _stand_in(facts):
        yield Check(_GROUP, "launcher", State.FAILED, said, command="orchestra dev")
    else:
        yield Check(
            _GROUP,
            "launcher",
            State.FAILED,
            said,
            "see that shared_preload_libraries has pg_cron, and restart the server (on Supabase: Project Settings, "
            "General, Restart project); a dropped role that owns a job makes it crash again and again",
        )
    return False


def _seen(facts: Facts) -> Iterator[Check]:
    answer = facts.of("jobs")
    role = facts.server.role if facts.server else ""
    if answer.value is None:
        grant = f"grant usage on schema cron to {ident(role)}; grant select on cron.job to {ident(role)}"
        yield unasked(_GROUP, "jobs", "cron.job", answer, command=grant)
        return
    jobs = answer.value
    every = (facts.of("server").value or {}).get("bypassrls")
    whose = "of all roles" if every else f"of {role} alone: row security hides those of others"
    off = f", {jobs['inactive']} inactive" if jobs["inactive"] else ""
    yield Check(_GROUP, "jobs", State.OK, f"it sees {count(jobs['active'], 'job')}{off}, {whose}")
    for dropped in jobs["without_role"]:
        yield Check(
            _GROUP,
            "dropped_role",
            State.FAILED,
            f"role {dropped} owns jobs and is dropped: pg_cron's launcher crashes over them",
            "as a superuser:",
            f"delete from cron.job where username = {literal(dropped)}",
        )


def _runs(facts: Facts, alive: bool | None) -> Iterator[Check]:
    answer, jobs = facts.of("runs"), facts.of("jobs").value
    role = ident(facts.server.role) if facts.server else ""
    if answer.value is None:
        grant = f"grant usage on schema cron to {role}; grant select on cron.job_run_details to {role}"
        yield unasked(_GROUP, "runs", "whether jobs run", answer, command=grant)
        return
    runs = answer.value
    logged = ((facts.of("server").value or {}).get("settings") or {}).get("cron.log_run") != "off"
    yield from _begun(runs, bool(jobs and jobs["frequent"]), logged, alive)
    if runs["waiting"]:
        yield Check(
            _GROUP,
            "waiting",
            State.FAILED,
            f"{count(runs['waiting'], 'run')} of the last hour never got beyond starting: pg_cron has no connection or "
            "no worker left for them",
            "raise max_connections (or max_worker_processes), or have fewer jobs at once; in the server's log, look "
            "for pg_cron",
        )
    for one in runs["long"]:
        yield Check(
            _GROUP,
            "long_run",
            State.WARNING,
            f"job {one['job']} has been running for {lasting(one['seconds'])}; until it ends its next runs wait",
            command=f"select pg_cancel_backend({one['pid']})",
        )
    for one in runs["failed"]:
        message = str(one["message"] or "no reason was given").strip().splitlines()[0]
        yield Check(
            _GROUP,
            "failed_runs",
            State.WARNING,
            f"job {one['job']} failed {count(one['times'], 'time')} in the last hour, at last with: {message}",
            command="select * from cron.job_run_details where status = 'failed' order by runid desc limit 10",
        )


def _begun(runs: dict[str, Any], frequent: bool, logged: bool, alive: bool | None) -> Iterator[Check]:
    last = runs["last_s"]
    if not logged:
        yield Check(
            _GROUP,
            "runs",
            State.UNKNOWN,
            "whether jobs run could not be asked: cron.log_run is off",
            "switch it on and restart the server",
            "alter system set cron.log_run = on",
        )
    elif last is not None and (last <= STUCK_S or not frequent):
        yield Check(_GROUP, "runs", State.OK, f"the last run began {lasting(max(last, 0))} ago")
    elif last is not None:
        yield Check(
            _GROUP,
            "runs",
            State.FAILED,
            f"there are jobs for every minute, and the last run began {lasting(last)} ago"
            + (": the launcher is there and stuck" if alive else ""),
            "end the launcher, which the server then starts anew",
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pg_cron scheduler'",
        )
    elif frequent:
        yield Check(
            _GROUP,
            "runs",
            State.WARNING,
            "there are jobs for every minute, and none has run yet",
            "look again in two minutes",
        )
