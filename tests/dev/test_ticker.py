"""The ticker as a process and beside others; what it does with jobs is in test_cron_contract."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from engines import Engine
from engines.waiting import eventually

from orchestra.dev.ticker import Ticker


@pytest.fixture
def cron(embedded: Engine) -> Engine:
    embedded.execute("create extension pg_cron")
    return embedded


def count_runs(engine: Engine) -> int:
    return int(engine.execute("select count(*) from cron.job_run_details")[0][0])


def test_it_runs_as_a_process_until_it_is_told_to_stop(cron: Engine) -> None:
    cron.execute("select cron.schedule('job', '1 seconds', 'select 1')")
    command = [sys.executable, "-m", "orchestra.dev.ticker", "--db", cron.dsn]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        eventually(lambda: count_runs(cron) >= 1)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=5)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, output) == (0, "")


def test_two_tickers_on_one_database_do_not_run_a_job_twice(cron: Engine) -> None:
    cron.execute("select cron.schedule('job', '1 seconds', 'select 1')")
    with Ticker(cron.dsn), Ticker(cron.dsn):
        eventually(lambda: count_runs(cron) >= 3)
        gaps = cron.execute(
            """
            select min(gap) > interval '0.9 s'
              from (select start_time - lag(start_time) over (order by runid) as gap
                      from cron.job_run_details) each
            """
        )
    assert gaps == [(True,)]


def test_it_survives_the_loss_of_its_connection(cron: Engine) -> None:
    cron.execute("select cron.schedule('job', '1 seconds', 'select 1')")
    with Ticker(cron.dsn):
        eventually(lambda: count_runs(cron) >= 1)
        end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s"
        cron.execute(end, ["pg_cron scheduler"])
        seen = count_runs(cron)
        eventually(lambda: count_runs(cron) > seen)


def test_it_waits_for_an_extension_that_comes_and_goes(embedded: Engine) -> None:
    with Ticker(embedded.dsn):
        for _ in range(2):
            embedded.execute("create extension pg_cron")
            embedded.execute("select cron.schedule('job', '1 seconds', 'select 1')")
            eventually(lambda: count_runs(embedded) >= 1)
            embedded.execute("drop extension pg_cron")


def test_runs_that_a_dead_ticker_left_behind_are_marked_as_failed(cron: Engine) -> None:
    cron.execute("insert into cron.job_run_details (jobid, status) values (1, 'running')")
    with Ticker(cron.dsn):
        shown = "select status, return_message from cron.job_run_details"
        eventually(lambda: cron.execute(shown) == [("failed", "server restarted")])


def test_stopping_does_not_wait_for_a_long_job(cron: Engine) -> None:
    cron.execute("select cron.schedule('long', '1 seconds', 'select pg_sleep(60)')")
    with Ticker(cron.dsn):
        eventually(lambda: count_runs(cron) == 1)
    active = "select count(*) from pg_stat_activity where application_name = 'pg_cron' and state = 'active'"
    assert cron.execute(active) == [(1,)]


def test_the_clock_can_be_somebody_elses(cron: Engine) -> None:
    now = datetime(2026, 1, 31, 23, 58, 59, tzinfo=UTC)
    cron.execute("select cron.schedule('last day', '59 23 $ * *', 'select 1')")
    cron.execute("select cron.schedule('first day', '59 23 1 * *', 'select 2')")
    with Ticker(cron.dsn, clock=lambda: now):
        now += timedelta(seconds=2)
        eventually(lambda: count_runs(cron) == 1)
    assert cron.execute("select command from cron.job_run_details") == [("select 1",)]
