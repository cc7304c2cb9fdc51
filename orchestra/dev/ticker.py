"""Runs what is due in cron.job of an embedded database, as pg_cron's launcher does; and sends pg_net's
requests.

As a context manager, in a thread:    with Ticker(dsn): …
As a process, until it is stopped:    python -m orchestra.dev.ticker --db URL
"""

from __future__ import annotations

import argparse
import select
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import psycopg

from orchestra.dev import cron_run
from orchestra.dev.cron_run import Notice, Run
from orchestra.dev.errors import DevDatabaseError
from orchestra.dev.launcher import Job, Launcher
from orchestra.dev.net_worker import NetWorker

TURN = 0.05  # seconds between looks at cron.job; pg_cron takes up to 1 s, which would only make tests slower
RECONNECT = 0.5  # seconds
APPLICATION_NAME = "pg_cron scheduler"  # what the real launcher shows in pg_stat_activity
# One ticker for each database, whoever starts it; the lock goes with its session.
LEADER_LOCK = 0x6F72_6368_6372_6F6E

_JOBS = "select jobid, schedule, command, database, username, active from cron.job order by jobid"
_THERE = "select to_regclass('cron.job') is not null"
_SETTINGS = """
    select coalesce(current_setting('cron.timezone', true), 'GMT'),
           coalesce(current_setting('cron.max_running_jobs', true), '32')::int
"""
# What was going on when the last ticker died; words it as pg_cron does after a restart of the server.
_LEFT_BEHIND = """
    update cron.job_run_details set status = 'failed', return_message = 'server restarted'
     where status in ('starting', 'running')
"""


class Ticker:
    """The launcher of one database. A second one for the same database waits until the first is gone."""

    def __init__(
        self,
        dsn: str,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_notice: Callable[[Notice], None] | None = None,
    ) -> None:
        """`dsn` is a superuser's connection; jobs connect as their own users, whom the server must trust. `on_notice`
        is called in the ticker's thread."""
        self._dsn = dsn
        self._on_notice = on_notice
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="cron ticker", daemon=True)
        self._net = NetWorker(dsn, self._stop)
        self._ready = threading.Event()
        self._fault: BaseException | None = None

    def __enter__(self) -> Self:
        """Start, and return once jobs are being looked after."""
        self._thread.start()
        self._net.start()
        self._ready.wait(timeout=10)
        if self._fault is not None:
            raise DevDatabaseError(f"the ticker cannot work on this database: {self._fault}") from self._fault
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop looking after jobs; runs that are going on lose their connection and end by themselves."""
        self._stop.set()
        self._thread.join()
        self._net.join()

    def wait(self) -> None:
        """Until `stop` is called, from a signal handler or another thread."""
        while not self._stop.wait(timeout=1):
            pass

    def request_stop(self) -> None:
        """Only ask for it; safe in a signal handler."""
        self._stop.set()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                with psycopg.connect(self._dsn, autocommit=True, application_name=APPLICATION_NAME) as admin:
                    self._lead(admin)
            except psycopg.OperationalError:
                self._stop.wait(RECONNECT)  # the server is restarting, or a reset ended our session
            except Exception as fault:
                self._fault = fault
                self._ready.set()
                raise

    def _lead(self, admin: psycopg.Connection[Any]) -> None:
        while not self._stop.is_set():
            row = admin.execute("select pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone()
            if row == (True,):
                break
            self._ready.set()
            self._stop.wait(RECONNECT)
        settings = admin.execute(_SETTINGS).fetchone()
        assert settings is not None
        zone, max_running = settings
        launcher = Launcher(self._clock(), ZoneInfo(zone), max_running)
        runs: dict[int, Run] = {}
        cleaned = False
        try:
            while not self._stop.is_set():
                # Not asked for what is not there, or the server's log would hold little else.
                jobs = _read_jobs(admin) if cleaned or admin.execute(_THERE).fetchone() == (True,) else None
                if jobs is not None and not cleaned:
                    admin.execute(_LEFT_BEHIND)
                    cleaned = True
                try:
                    self._turn(admin, launcher, jobs or [], runs)
                except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                    cleaned = False  # the extension was dropped under us; the next turn reads no jobs
                self._ready.set()
                _wait(runs, self._stop)
        finally:
            for run in runs.values():
                if run.connection is not None:
                    run.connection.finish()

    def _turn(
        self, admin: psycopg.Connection[Any], launcher: Launcher, jobs: list[Job], runs: dict[int, Run]
    ) -> None:
        now = self._clock()
        for jobid in launcher.refresh(jobs, now):
            if jobid in runs:
                cron_run.cancel(admin, runs.pop(jobid))
        launcher.advance(now)
        for job in launcher.start_ready(now):
            runs[job.jobid] = cron_run.start(admin, self._dsn, job, self._on_notice)
        for jobid in [jobid for jobid, run in runs.items() if cron_run.proceed(admin, run)]:
            del runs[jobid]
            launcher.finished(jobid)


def _read_jobs(admin: psycopg.Connection[Any]) -> list[Job] | None:
    """The rows of cron.job; None while the extension is not there (or is being created or dropped)."""
    try:
        return [Job(*row) for row in admin.execute(_JOBS)]
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None


def _wait(runs: dict[int, Run], stop: threading.Event) -> None:
    sockets = [run.socket for run in runs.values() if run.socket is not None]
    if sockets:
        select.select(sockets, [], [], TURN)
    else:
        stop.wait(TURN)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m orchestra.dev.ticker", description=__doc__)
    parser.add_argument("--db", required=True, metavar="URL", help="the embedded database, as its superuser")
    options = parser.parse_args(arguments)
    ticker = Ticker(options.db)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ticker.request_stop())
    with ticker:
        ticker.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
