"""Schedules: at most once a due time, overlap, catching up, retries, time zones. Each call is made directly."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17")


@pytest.fixture(autouse=True)
def only_own_schedules(db: RuntimeDb) -> Iterator[None]:
    yield
    db.run("truncate orchestra.workload, orchestra.scheduled_run, orchestra.fired cascade")


@pytest.fixture
def ran(db: RuntimeDb) -> str:
    """A statement that leaves a row for each run."""
    db.run("drop table if exists public.ran")
    db.run(
        "create table public.ran (scheduled_for timestamptz, attempt int, at timestamptz default clock_timestamp())"
    )
    db.run(
        """create or replace function public.work(seconds float8, fails boolean) returns void language plpgsql as $$
        begin
          perform pg_sleep(seconds);
          if fails then raise division_by_zero using message = 'division by zero'; end if;
        end $$"""
    )
    return "insert into public.ran values (($1 ->> 'scheduled_for')::timestamptz, $2)"


def working(ran: str, arguments: str) -> str:
    """The statement, after what `work` does with its seconds and whether it fails."""
    return f"with w as materialized (select public.work({arguments})) {ran.replace('values (', 'select ')[:-1]} from w"


def fired(db: RuntimeDb, name: str) -> list[tuple[datetime, str]]:
    return db.rows("select scheduled_for, outcome from orchestra.fired where workload = %s order by 1", name)


def outcomes(db: RuntimeDb, name: str) -> list[str]:
    return [outcome for _, outcome in fired(db, name)]


def runs(db: RuntimeDb, name: str) -> list[tuple[int, str, str | None]]:
    return db.rows(
        "select attempt, status, sqlstate from orchestra.scheduled_run where workload = %s order by id", name
    )


def due_once(db: RuntimeDb, name: str) -> None:
    """A schedule that was due half a minute ago, for the first time since 1970, and not again for as long."""
    db.schedule(name, every_ms=int(time.time() - 30) * 1_000)


def daily(moment: datetime) -> str:
    """The cron expression of this minute of the day."""
    return f"{moment.minute} {moment.hour} * * *"


def test_ten_calls_at_once_run_a_due_time_once(db: RuntimeDb, ran: str) -> None:
    """Guarantee 11."""
    name = db.scheduled(working(ran, "0.2, false"))
    due_once(db, name)
    with db.background(*[lambda: db.fire(name)] * 10) as errors:
        pass
    db.fire(name)
    assert errors == []
    assert db.one("select count(*) from public.ran") == 1
    assert outcomes(db, name) == ["run"]
    assert runs(db, name) == [(1, "done", None)]


def test_a_queue_gets_one_message_a_due_time(db: RuntimeDb) -> None:
    name = db.queue()
    due_once(db, name)
    with db.background(*[lambda: db.fire(name)] * 8) as errors:
        pass
    assert errors == []
    [(message,)] = db.rows(f"select message from pgmq.q_{name}")
    [(due, outcome)] = fired(db, name)
    assert outcome == "enqueued"
    assert message == {"scheduled_for": due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def test_nothing_is_due_before_the_schedule_began_or_anew_after_it_changed(db: RuntimeDb, ran: str) -> None:
    name = db.scheduled(ran)
    db.schedule(name, every_ms=60_000, since=datetime.now(UTC))
    db.fire(name)
    now = datetime.now(UTC)
    other = db.scheduled(ran)
    db.schedule(other, cron="* * * * *")
    db.run("update orchestra.schedule set cron = %s where workload = %s", daily(now), other)
    db.fire(other)
    # An upsert that changes nothing does not begin it anew.
    third = db.scheduled(ran)
    db.schedule(third, cron="* * * * *")
    db.run("update orchestra.schedule set cron = cron, overlap = 'skip' where workload = %s", third)
    db.fire(third)
    assert (outcomes(db, name), outcomes(db, other), outcomes(db, third)) == ([], [], ["run"])


def test_a_call_when_nothing_is_due_does_nothing(db: RuntimeDb, ran: str) -> None:
    """The job of a time zone comes at each hour."""
    name = db.scheduled(ran)
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    db.schedule(name, cron=daily(hour_ago))
    db.fire(name)
    assert outcomes(db, name) == []


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns", "Europe/Berlin", "Pacific/Chatham"])
def test_a_fixed_hour_is_that_of_its_zone(db: RuntimeDb, ran: str, zone: str) -> None:
    minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    local = minute_ago.astimezone(ZoneInfo(zone))
    name = db.scheduled(ran)
    db.schedule(name, cron=daily(local), timezone=zone)
    db.fire(name)
    assert [d for d, _ in fired(db, name)] == [minute_ago.replace(second=0, microsecond=0)]


def test_in_a_pause_due_times_pass_and_are_not_made_up_for(db: RuntimeDb, ran: str) -> None:
    name = db.scheduled(ran, paused=True)
    db.schedule(name, cron="* * * * *", catchup_window_ms=200_000)
    db.fire(name)
    db.run("select orchestra.resume(%s, %s)", PROJECT, name)
    db.catch_up()
    assert set(outcomes(db, name)) == {"paused"}
    behind_the_gate = db.scheduled(ran)
    db.schedule(behind_the_gate, cron="* * * * *")
    db.run("select orchestra.pause(%s)", PROJECT)
    db.fire(behind_the_gate)
    db.run("select orchestra.resume(%s)", PROJECT)
    assert outcomes(db, behind_the_gate) == ["paused"]
    assert db.one("select count(*) from public.ran") == 0


def test_skip_lets_what_falls_into_a_run_go(db: RuntimeDb, ran: str) -> None:
    name = db.scheduled("select pg_sleep(1.5)")
    db.schedule(name, every_ms=500)
    with db.background(lambda: db.fire(name)):
        db.running_pid(name)
        for _ in range(4):
            db.fire(name)
            time.sleep(0.25)
    time.sleep(0.05)
    db.alter(name, sql=ran)
    db.fire(name)  # the call that pg_cron kept waiting: its time fell into the run
    assert outcomes(db, name)[0] == "run"
    assert set(outcomes(db, name)[1:]) <= {"skipped", "run"}
    assert outcomes(db, name).count("skipped") >= 2
    assert len(runs(db, name)) <= 2


def test_a_late_call_whose_time_fell_into_the_run_before_is_skipped(db: RuntimeDb, ran: str) -> None:
    name = db.scheduled(ran)
    db.schedule(name, every_ms=60_000)
    due = db.one("select orchestra.previous_due(null, 60000, null, now())")
    db.run(
        "insert into orchestra.scheduled_run (project, workload, scheduled_for, started_at, finished_at, status) "
        "values (%s, %s, %s - interval '1 minute', %s - interval '50 s', now(), 'done')",
        PROJECT,
        name,
        due,
        due,
    )
    db.fire(name)
    assert fired(db, name) == [(due, "skipped")]


def test_buffer_one_runs_one_more_when_the_run_has_ended(db: RuntimeDb) -> None:
    name = db.scheduled("select pg_sleep(2)")
    db.schedule(name, every_ms=300, overlap="buffer_one")
    with db.background(lambda: db.fire(name)):
        db.running_pid(name)
        time.sleep(0.31)
        db.fire(name)
        time.sleep(0.31)
        db.fire(name)
        db.alter(name, sql="select")
        db.run("update orchestra.schedule set overlap = 'skip' where workload = %s", name)
    assert outcomes(db, name) == ["run", "run", "skipped"]
    assert [status for _, status, _ in runs(db, name)] == ["done", "done"]
    first, second = db.rows(
        "select started_at, finished_at from orchestra.scheduled_run where workload = %s order by id", name
    )
    assert second[0] >= first[1]


def test_a_queue_skips_while_its_last_message_is_unfinished(db: RuntimeDb) -> None:
    expected = {"skip": ["enqueued", "skipped", "skipped"], "buffer_one": ["enqueued", "enqueued", "skipped"]}
    for overlap in ("skip", "buffer_one", "allow"):
        name = db.queue()
        db.schedule(name, every_ms=200, overlap=overlap)
        for _ in range(3):
            db.fire(name)
            time.sleep(0.2)
        assert outcomes(db, name) == expected.get(overlap, ["enqueued"] * 3)
        db.drain(name)
        db.fire(name)
        assert outcomes(db, name)[-1] == "enqueued"


def test_what_was_missed_is_made_up_for_within_the_window_and_only_the_last(db: RuntimeDb, ran: str) -> None:
    name, without, allowed, narrow = db.scheduled(ran), db.scheduled(ran), db.queue(), db.queue()
    db.schedule(name, cron="* * * * *", catchup_window_ms=300_000)
    db.schedule(without, cron="* * * * *")
    db.schedule(allowed, cron="* * * * *", catchup_window_ms=300_000, overlap="allow")
    db.schedule(narrow, cron=daily(datetime.now(UTC) - timedelta(minutes=30)), catchup_window_ms=60_000)
    db.catch_up()
    db.catch_up()
    late = outcomes(db, name)
    assert late[-1] == "run"
    assert set(late[:-1]) == {"skipped"}
    assert len(late) in (3, 4)  # what became due within the last 90 s is left to the schedule's own job
    assert [s for _, s, _ in runs(db, name)] == ["done"]
    assert (outcomes(db, without), outcomes(db, narrow)) == ([], [])
    assert set(outcomes(db, allowed)) == {"enqueued"}
    assert db.depth(allowed) == len(outcomes(db, allowed)) >= 3


def test_a_failed_run_is_retried_in_the_call_where_the_wait_is_short(db: RuntimeDb, ran: str) -> None:
    name = db.scheduled(
        working(ran, "0, $2 < 3"),
        max_attempts=4,
        backoff_initial_ms=50,
        backoff_jitter="none",
    )
    db.schedule(name, cron="* * * * *")
    db.fire(name)
    assert runs(db, name) == [(1, "failed", "22012"), (2, "failed", "22012"), (3, "done", None)]
    assert db.rows("select attempt from public.ran") == [(3,)]
    assert len(outcomes(db, name)) == 1


def test_a_longer_wait_is_left_to_a_later_minute(db: RuntimeDb, ran: str) -> None:
    name = db.scheduled(
        ran, max_attempts=3, backoff_initial_ms=60_000, backoff_max_ms=60_000, backoff_jitter="none"
    )
    failing = working(ran, "0, true")
    db.alter(name, sql=failing)
    db.schedule(name, cron="* * * * *")
    db.fire(name)
    assert db.one(
        "select retry_at > now() + interval '50 s' from orchestra.scheduled_run where workload = %s", name
    )
    db.catch_up()
    assert len(runs(db, name)) == 1
    db.run("update orchestra.scheduled_run set retry_at = now() where workload = %s", name)
    db.alter(name, sql=ran)
    db.catch_up()
    db.catch_up()
    assert runs(db, name) == [(1, "failed", "22012"), (2, "done", None)]
    assert db.slot(name) == (None, None, [], [])


def test_a_permanent_failure_and_the_last_attempt_are_not_retried(db: RuntimeDb) -> None:
    permanent = db.scheduled("select orchestra.reject('no')", max_attempts=5)
    once = db.scheduled("select 1 / 0")
    for name in (permanent, once):
        db.schedule(name, cron="* * * * *")
        with pytest.raises(psycopg.Error, match=f"the scheduled run of shop/{name} failed: ") as caught:
            db.fire(name)  # so that the run of the cron job shows as failed, too
        assert caught.value.sqlstate == "ORC04"
        assert len(runs(db, name)) == 1
        assert db.rows("select retry_at from orchestra.scheduled_run where workload = %s", name) == [(None,)]
    assert db.one("select error from orchestra.scheduled_run where workload = %s", once) == "division by zero"


def test_a_pause_begins_no_further_attempt_and_nothing_that_waited(db: RuntimeDb, ran: str) -> None:
    """Neither in the call that goes on, nor in a later minute; after it all is taken up again."""
    failing = db.scheduled(
        working(ran, "0.5, true"), max_attempts=9, backoff_initial_ms=10, backoff_jitter="none"
    )
    waiting = db.scheduled("select pg_sleep(1)")
    for name, overlap in ((failing, "skip"), (waiting, "buffer_one")):
        db.schedule(name, cron="* * * * *", overlap=overlap)
        with db.background(lambda n=name: db.fire(n)):  # type: ignore[misc]
            db.running_pid(name)
            if name == waiting:
                due = datetime.now(UTC) + timedelta(minutes=1)
                db.run(
                    "insert into orchestra.fired (project, workload, position, scheduled_for, outcome) "
                    "values (%s, %s, 1, %s, 'buffered')",
                    PROJECT, name, due,
                )  # fmt: skip
            db.run("select orchestra.pause(%s, %s)", PROJECT, name)
        db.catch_up()
        assert len(runs(db, name)) == 1
        db.alter(name, sql="select 1")
        db.run("select orchestra.resume(%s, %s)", PROJECT, name)
    db.catch_up()
    assert [(attempt, status) for attempt, status, _ in runs(db, failing)] == [(1, "failed"), (2, "done")]
    assert [(attempt, status) for attempt, status, _ in runs(db, waiting)] == [(1, "done"), (1, "done")]


def test_no_missed_run_begins_that_the_calls_own_timeout_would_cut_off(db: RuntimeDb) -> None:
    names = [db.scheduled("select pg_sleep(1)", timeout_ms=1_000) for _ in range(3)]
    missed = daily(datetime.now(UTC) - timedelta(minutes=3))
    for name in names:
        db.schedule(name, cron=missed, catchup_window_ms=600_000)
    with db.connect() as connection:
        connection.execute("set statement_timeout = '6500ms'")
        connection.execute("call orchestra.catch_up(%s)", (PROJECT,))
    assert sorted(runs(db, name) for name in names) == [[], [], [(1, "done", None)]]
    db.catch_up()
    assert [runs(db, name) for name in names] == [[(1, "done", None)]] * 3


def test_a_slot_that_is_looked_at_for_a_moment_costs_no_due_time(db: RuntimeDb, ran: str) -> None:
    """Whoever looks after slots locks them one by one."""
    name = db.scheduled(ran)
    due_once(db, name)
    db.run("insert into orchestra.slot (project, workload, slot) values (%s, %s, 1)", PROJECT, name)
    with db.connect(autocommit=False) as other:
        other.execute("select from orchestra.slot where workload = %s for update", (name,))
        with db.background(lambda: db.fire(name)) as errors:
            db.wait_for("select exists (select from pg_stat_activity where wait_event_type = 'Lock')")
            other.rollback()
    assert errors == []
    assert (outcomes(db, name), runs(db, name)) == (["run"], [(1, "done", None)])


def test_scheduled_sql_that_runs_for_long_keeps_no_upgrade_waiting(db: RuntimeDb) -> None:
    """It needs the tables of the runtime for itself for a moment."""
    name = db.scheduled("select pg_sleep(60)")
    db.schedule(name, cron="* * * * *")
    with db.background(lambda: db.fire(name)):
        pid = db.running_pid(name)
        db.wait_for(f"select query ~ 'pg_sleep|fire' from pg_stat_activity where pid = {pid}")
        time.sleep(0.2)
        with db.connect(autocommit=False) as upgrade:
            upgrade.execute("set local lock_timeout = '2s'")
            upgrade.execute("lock table orchestra.workload, orchestra.schedule in access exclusive mode")
        db.terminate(pid)


def test_an_overdue_run_is_cancelled_by_any_job_of_the_project(db: RuntimeDb, ran: str) -> None:
    """A project of schedules only has no tick."""
    other = db.scheduled(ran)
    db.schedule(other, cron="* * * * *")
    for rescue in (lambda: db.fire(other), db.housekeep, db.tick):
        name = db.scheduled("select pg_sleep(60)", timeout_ms=50)
        db.schedule(name, cron="* * * * *")
        with db.background(lambda n=name: db.fire(n)):  # type: ignore[misc]
            db.running_pid(name)
            time.sleep(0.06)
            rescue()
        assert runs(db, name) == [(1, "failed", "57014")]
        assert (
            db.one("select error from orchestra.scheduled_run where workload = %s", name)
            == "timed out after 50 ms"
        )


def test_a_run_whose_backend_was_killed_is_lost_and_not_repeated(db: RuntimeDb) -> None:
    name = db.scheduled("select pg_sleep(60)")
    db.schedule(name, cron="0 0 1 1 *", catchup_window_ms=None)
    db.run("update orchestra.schedule set cron = %s where workload = %s", daily(datetime.now(UTC)), name)
    db.run("update orchestra.schedule set since = '2020-01-01' where workload = %s", name)
    with db.background(lambda: db.fire(name)):
        db.terminate(db.running_pid(name))
    db.fire(name)
    assert runs(db, name) == [(1, "lost", None)]
    assert outcomes(db, name) == ["run"]


def test_effect_and_record_of_a_run_commit_together(db: RuntimeDb, ran: str) -> None:
    name = db.scheduled(f"with x as ({ran} returning 1) select public.work(0.4, false) from x")
    db.schedule(name, cron="* * * * *")
    with db.background(lambda: db.fire(name)):
        db.running_pid(name)
        assert db.one("select count(*) from public.ran") == 0
        assert [s for _, s, _ in runs(db, name)] == ["running"]
    assert db.one("select count(*) from public.ran") == 1


def test_scheduled_sql_runs_as_its_role_on_its_search_path(db: RuntimeDb) -> None:
    db.run("create schema if not exists app")
    db.run("grant usage on schema app to authenticated")
    db.run("drop table if exists app.noted")
    db.run("create table app.noted (who text)")
    db.run("grant insert on app.noted to authenticated")
    name = db.scheduled(
        "insert into noted values (current_user)", run_role="authenticated", search_path=["app"]
    )
    db.schedule(name, cron="* * * * *")
    db.fire(name)
    assert db.rows("select who from app.noted") == [("authenticated",)]
    assert [s for _, s, _ in runs(db, name)] == ["done"]


def test_a_call_for_what_is_no_longer_there_does_nothing(db: RuntimeDb) -> None:
    db.fire("nobody")
    name = db.scheduled()
    db.fire(name)
    db.drain("nobody")
    assert outcomes(db, name) == []


def test_two_schedules_of_one_workload_share_one_run_at_a_time(db: RuntimeDb) -> None:
    name = db.scheduled("select pg_sleep(0.4)")
    db.schedule(name, 1, every_ms=60_000)
    db.schedule(name, 2, every_ms=70_000)
    with db.background(lambda: db.fire(name, 1)):
        db.running_pid(name)
        db.fire(name, 2)
    assert sorted(outcomes(db, name)) in (["run", "skipped"], ["run"])


def test_a_stopped_call_leaves_the_slot_to_the_next(db: RuntimeDb, ran: str) -> None:
    name = db.scheduled("select pg_sleep(60)")
    db.schedule(name, every_ms=100)
    stop = threading.Event()
    with db.background(lambda: db.fire(name)):
        db.terminate(db.running_pid(name))
        stop.set()
    db.alter(name, sql=ran)
    time.sleep(0.11)
    db.fire(name)
    assert [s for _, s, _ in runs(db, name)] == ["lost", "done"]


def test_a_schedule_has_exactly_one_of_cron_and_every(db: RuntimeDb) -> None:
    name = db.scheduled()
    wrong: tuple[dict[str, Any], ...] = ({}, {"cron": "* * * * *", "every_ms": 1})
    for columns in wrong:
        with pytest.raises(psycopg.errors.CheckViolation):
            db.schedule(name, **columns)
