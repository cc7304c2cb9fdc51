"""One run of a job: a connection of its own, one simple query, and its row in cron.job_run_details."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from orchestra.dev.launcher import Job

_INSERT = """
    insert into cron.job_run_details (jobid, runid, database, username, command, status)
    values (%s, nextval('cron.runid_seq'), %s, %s, %s, 'starting') returning runid
"""
_RUNNING = """
    update cron.job_run_details set job_pid = %s, status = 'running', start_time = clock_timestamp()
     where runid = %s
"""
_ENDED = """
    update cron.job_run_details
       set status = %s, return_message = %s, end_time = clock_timestamp(),
           start_time = coalesce(start_time, clock_timestamp())
     where runid = %s
"""


@dataclass
class Run:
    """A run that is going on. `connection` is None when it ended before it began."""

    job: Job
    runid: int
    connection: pq.abc.PGconn | None
    outcome: tuple[str, str] | None = None  # status and message of the last result so far

    @property
    def socket(self) -> int | None:
        return self.connection.socket if self.connection is not None else None


@dataclass(frozen=True, slots=True)
class Notice:
    """What SQL told its client while a job ran (`raise notice`); `severity` is `NOTICE`, `WARNING` or `INFO`."""

    job: Job
    severity: str
    message: str


def start(
    admin: psycopg.Connection[Any], conninfo: str, job: Job, on_notice: Callable[[Notice], None] | None = None
) -> Run:
    """Connect as the job's user and send its command; the run's row says what became of it."""
    row = admin.execute(_INSERT, [job.jobid, job.database, job.username, job.command]).fetchone()
    assert row is not None
    target = make_conninfo(
        conninfo,
        user=job.username,
        dbname=job.database,
        fallback_application_name="pg_cron",
        connect_timeout=10,
    )
    connection = pq.PGconn.connect(target.encode())
    run = Run(job, row[0], connection)
    if connection.status != pq.ConnStatus.OK:
        _give_up(admin, run, "connection failed")
        return run
    if on_notice is not None:
        tell = on_notice
        connection.notice_handler = lambda result: tell(_notice(job, result))
    connection.nonblocking = 1
    connection.send_query(job.command.encode())
    admin.execute(_RUNNING, [connection.backend_pid, run.runid])
    return run


def proceed(admin: psycopg.Connection[Any], run: Run) -> bool:
    """Take in what the server has sent; true when the run has ended and all is written and closed."""
    connection = run.connection
    if connection is None:
        return True
    try:
        connection.flush()
        connection.consume_input()
    except psycopg.OperationalError:
        run.outcome = ("failed", connection.error_message.decode(errors="replace"))
        return _end(admin, run)
    while not connection.is_busy():
        result = connection.get_result()
        if result is None:
            return _end(admin, run)
        run.outcome = _read(result)
        if run.outcome == ("failed", COPY_MESSAGE):
            return _end(admin, run)
    return False


def cancel(admin: psycopg.Connection[Any], run: Run) -> None:
    """The job went away during its run. Only the connection is closed; the backend goes on to its end."""
    _give_up(admin, run, "job canceled")


def _notice(job: Job, result: pq.abc.PGresult) -> Notice:
    def field(code: pq.DiagnosticField) -> str:
        return (result.error_field(code) or b"").decode(errors="replace")

    severity = field(pq.DiagnosticField.SEVERITY_NONLOCALIZED)
    return Notice(job, severity, field(pq.DiagnosticField.MESSAGE_PRIMARY))


COPY_MESSAGE = "COPY not supported"


def _read(result: pq.abc.PGresult) -> tuple[str, str]:
    """Status and return_message, as pg_cron words them."""
    match result.status:
        case pq.ExecStatus.COMMAND_OK:
            return "succeeded", (result.command_status or b"").decode()
        case pq.ExecStatus.FATAL_ERROR | pq.ExecStatus.BAD_RESPONSE:
            return "failed", result.error_message.decode(errors="replace")
        case pq.ExecStatus.COPY_IN | pq.ExecStatus.COPY_OUT | pq.ExecStatus.COPY_BOTH:
            return "failed", COPY_MESSAGE
        case _:
            return "succeeded", f"{result.ntuples} {'row' if result.ntuples == 1 else 'rows'}"


def _end(admin: psycopg.Connection[Any], run: Run) -> bool:
    status, message = run.outcome or ("succeeded", "")
    admin.execute(_ENDED, [status, message, run.runid])
    _close(run)
    return True


def _give_up(admin: psycopg.Connection[Any], run: Run, message: str) -> None:
    admin.execute(_ENDED, ["failed", message, run.runid])
    _close(run)


def _close(run: Run) -> None:
    if run.connection is not None:
        run.connection.finish()
        run.connection = None
