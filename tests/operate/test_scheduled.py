"""What schedules and calls have begun, as `orchestra runs` tells it, against a real database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from apply.fixtures import hosted
from apply.shop import SHOP, Shop

from operate.conftest import HEAD, SPEC, Run, work
from operate.test_runs import valid
from orchestra.live.connect import connect
from orchestra.operate import occurrences

__all__ = ["hosted"]

QUEUES = """\
  nightly:
    trigger: [manual, {schedule: {cron: "0 4 * * *", overlap: allow}}]
    duration: {max: 5s}
    poll_interval: 1m
    retry: {max_attempts: 1}
    run: {sql: "select 1 / (select count(*) from app.orders)"}
"""
KEPT = QUEUES.replace("nightly:", "kept:") + "    retention: {completed: 7d}\n"
JOB = "orchestra:shop:purge"


@pytest.fixture
def timed(run: Run, shop: Shop, tmp_path: Path) -> Run:
    """The same with queues that have schedules, all of them due each minute of the last hour."""
    (tmp_path / "orchestra.yaml").write_text(HEAD + SPEC + QUEUES + KEPT)
    done = run("apply", "--auto-approve")
    assert done.exit_code == 0, done.output
    shop.run("update orchestra.schedule set cron = '* * * * *'")
    shop.run("update orchestra.schedule set since = now() - interval '1 hour'")
    return run


def fire(shop: Shop, workload: str) -> None:
    """What its cron job does; it fails where the run did."""
    try:
        shop.run("call orchestra.fire('shop', %s, 1)", workload)
    except psycopg.Error as error:
        if error.sqlstate != "ORC04":
            raise


def recorded(shop: Shop, message: str, status: str = "failed", started: str | None = "now()") -> int:
    """A run as pg_cron notes it."""
    return int(
        shop.one(
            "insert into cron.job_run_details "
            "(jobid, runid, job_pid, database, username, command, status, return_message, start_time, end_time) "
            "select j.jobid, nextval('cron.runid_seq'), 1, j.database, j.username, j.command, %s, %s, "
            f"{started or 'null'}, {started or 'null'} from cron.job j where j.jobname = %s returning runid",
            status,
            message,
            JOB,
        )
    )


def listed(run: Run, *arguments: str) -> list[dict[str, Any]]:
    done = run("runs", *arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = valid(done.stdout)["scheduled"]
    return found


def shown(run: Run, which: str) -> dict[str, Any]:
    done = run("runs", "show", which, "--format", "json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = valid(done.stdout)["occurrence"]
    return found


def test_nothing_ran_yet(timed: Run) -> None:
    assert timed("runs").stderr.splitlines()[-1] == "Project shop has no runs."
    document = valid(timed("runs", "--format", "json").stdout)
    assert (document["runs"], document["scheduled"], document["calls"]) == ([], [], [])


def test_scheduled_sql_that_ran_is_told_with_how_long_it_took(timed: Run, shop: Shop) -> None:
    fire(shop, "purge")
    shop.run("update orchestra.scheduled_run set finished_at = started_at + interval '12 seconds'")
    (one,) = listed(timed, "--workload", "purge")
    assert (one["id"], one["kind"], one["status"], one["error"]) == ("s1", "sql", "done", None)
    text = " ".join(timed("runs").stdout.split())
    assert "Scheduled work of project shop, the newest first s1 purge done 12s, 20" in text
    text = " ".join(timed("runs", "show", "s1").stdout.split())
    assert "Status done Due 20" in text
    assert "Took 12s" in text
    assert listed(timed, "--workload", "mail") == []
    assert listed(timed, "--status", "failed") == []
    assert len(listed(timed, "--since", "1h", "--status", "done")) == 1


def test_what_it_said_when_it_failed_and_each_attempt(timed: Run, shop: Shop) -> None:
    shop.run("alter table app.sessions rename to gone")
    fire(shop, "purge")
    (one,) = listed(timed, "--status", "failed")
    assert (one["id"], one["status"], one["sqlstate"]) == ("s1", "failed", "42P01")
    assert one["error"] == 'relation "app.sessions" does not exist'
    assert 'relation "app.sessions" does not exist' in timed("runs").stdout
    shop.run(
        "insert into orchestra.scheduled_run (project, workload, scheduled_for, attempt, status, finished_at, error) "
        "select project, workload, scheduled_for, 2, 'lost', now(), 'its backend went away' "
        "from orchestra.scheduled_run"
    )
    assert [a["status"] for a in shown(timed, "s1")["attempts"]] == ["failed", "lost"]
    assert [o["id"] for o in listed(timed, "--status", "failed")] == ["s2", "s1"]
    assert [o["id"] for o in listed(timed, "--status", "lost")] == ["s2"]
    text = " ".join(timed("runs", "show", "s2").stdout.split())
    assert "Attempts 1 s1 failed" in text
    assert "2 s2 lost attempt 2" in text


def test_a_job_that_failed_before_its_work_began_is_told_and_the_other_once(timed: Run, shop: Shop) -> None:
    """pg_cron's record has a failure of the run itself, too, which the runtime tells by its own name."""
    recorded(shop, "CALL", "succeeded")
    recorded(shop, "ERROR:  the scheduled run of shop/purge failed: no such table")
    late = recorded(shop, "ERROR:  permission denied for schema orchestra\nLINE 1")
    never = recorded(shop, "connection failed", started=None)
    found = listed(timed, "--workload", "purge")
    assert [(o["id"], o["kind"], o["status"]) for o in found] == [
        (f"j{never}", "job", "failed"),
        (f"j{late}", "job", "failed"),
    ]
    assert found[0]["started_at"] == found[1]["started_at"]
    text = timed("runs", "show", f"j{late}").stdout
    assert "permission denied for schema orchestra" in text
    assert JOB in text


def test_due_times_at_which_nothing_began_say_why(timed: Run, shop: Shop) -> None:
    shop.run("select orchestra.pause('shop', 'purge')")
    fire(shop, "purge")
    (one,) = listed(timed)
    assert (one["kind"], one["status"], one["started_at"]) == ("due", "paused", None)
    assert one["id"].startswith("purge@20")
    assert "nothing begins while it is paused" in timed("runs", "show", one["id"]).stdout
    assert f"{one['id']}  paused" in timed("runs").stdout
    shop.run("update orchestra.fired set outcome = 'skipped'")
    assert [o["status"] for o in listed(timed, "--status", "skipped")] == ["skipped"]
    assert listed(timed, "--status", "paused") == []


def test_a_due_time_of_a_queue_is_followed_to_what_became_of_its_message(timed: Run, shop: Shop) -> None:
    shop.run("insert into app.orders values (1, 1)")
    for workload in ("nightly", "kept"):
        fire(shop, workload)
    assert {o["workload"]: o["status"] for o in listed(timed)} == {"nightly": "waiting", "kept": "waiting"}
    shop.run(
        "update orchestra.slot set token = gen_random_uuid(), lease_until = now() + interval '1 hour', held = array[1] "
        "where workload = 'kept' and slot = 1"
    )
    if not shop.one("select count(*) from orchestra.slot where workload = 'kept'"):
        shop.run(
            "insert into orchestra.slot (project, workload, slot, token, lease_until, held) "
            "values ('shop', 'kept', 1, gen_random_uuid(), now() + interval '1 hour', array[1])"
        )
    assert {o["workload"]: o["status"] for o in listed(timed)} == {"nightly": "waiting", "kept": "running"}
    shop.run("delete from orchestra.slot")
    work(shop, "nightly")
    work(shop, "kept")
    found = {o["workload"]: o for o in listed(timed)}
    assert {name: o["status"] for name, o in found.items()} == {"nightly": "ended", "kept": "done"}
    assert found["kept"]["finished_at"] is not None
    assert "retention" in timed("runs", "show", found["nightly"]["id"]).stdout
    assert [o["workload"] for o in listed(timed, "--status", "done")] == ["kept"]


def test_a_message_of_a_schedule_that_was_given_up_names_its_letter(timed: Run, shop: Shop) -> None:
    fire(shop, "nightly")
    work(shop, "nightly")
    letter = shop.one("select id from orchestra.dead_letter")
    (one,) = listed(timed, "--status", "failed")
    assert (one["dead_letter"], one["error"], one["attempt"]) == (letter, "division by zero", 1)
    assert f"orchestra dlq show {letter}" in timed("runs", "show", one["id"]).stdout
    done = timed("runs", "retry", one["id"], "--auto-approve")
    assert (done.exit_code, f"orchestra dlq redrive --id {letter}" in done.stderr) == (1, True)


def test_a_queue_that_somebody_dropped_keeps_the_list_from_nobody(timed: Run, shop: Shop) -> None:
    fire(shop, "nightly")
    shop.run("select pgmq.drop_queue('nightly')")
    assert [o["status"] for o in listed(timed)] == ["ended"]


def test_calls_are_a_section_of_their_own(timed: Run, shop: Shop) -> None:
    shop.run(
        "insert into orchestra.workload (project, name, pattern, handler) values ('shop', 'hook', 'wait_until', 'edge')"
    )
    for status, error in (
        ("done", None),
        ("failed", "boom \x1b[31m postgres://u:hunter2@h/db"),
        ("lost", None),
    ):
        shop.run(
            "insert into orchestra.call (project, workload, payload, due_at, finished_at, status, error, code) "
            "values ('shop', 'hook', '{\"n\": 0.10000000000000000000001}', now(), clock_timestamp(), %s, %s, 'x')",
            status,
            error,
        )
    found = valid(timed("runs", "--format", "json").stdout)["calls"]
    assert [(o["id"], o["status"]) for o in found] == [("c3", "lost"), ("c2", "failed"), ("c1", "done")]
    assert len(valid(timed("runs", "--status", "failed", "--format", "json").stdout)["calls"]) == 2
    assert "Calls of project shop, the newest first" in timed("runs").stdout
    done = timed("runs", "show", "c2")
    assert "0.10000000000000000000001" in done.stdout
    for text in (done.stdout, timed("runs").stdout, timed("runs", "--format", "json").stdout):
        assert "hunter2" not in text
        assert "\x1b" not in text
    done = timed("runs", "cancel", "c2", "--auto-approve")
    assert (done.exit_code, "c2 is a call, and only a run can be cancelled" in done.stderr) == (1, True)


def test_none_of_them_can_be_cancelled_or_tried_again(timed: Run, shop: Shop) -> None:
    fire(shop, "purge")
    for verb, word in (("cancel", "cancelled"), ("retry", "tried again")):
        done = timed("runs", verb, "s1", "--auto-approve")
        assert done.exit_code == 1
        assert f"s1 is an attempt of scheduled SQL, and only a run can be {word}" in " ".join(
            done.stderr.split()
        )
    assert shop.one("select status from orchestra.scheduled_run") == "done"


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("s99", "project shop has no s99"),
        ("c99", "project shop has no c99"),
        ("j99999999", "project shop has no j99999999"),
        ("purge@2030-01-31T02:30:00Z", "project shop has no purge@2030"),
        ("x", "'x' is no id"),
        ("0", "'0' is no id"),
        ("s", "'s' is no id"),
        ("purge@soon", "is no id"),
        ("purge@2030-01-31T02:30:00", "is no id"),
        ("@2030-01-31T02:30:00Z", "is no id"),
        ("9" * 30, "is no id"),
        ("s" + "9" * 30, "is no id"),
        ("\u0663", "is no id"),
    ],
)
def test_an_id_that_is_not_there_or_none_at_all(timed: Run, which: str, said: str) -> None:
    for verb in ("show", "cancel", "retry"):
        done = timed("runs", verb, which, *([] if verb == "show" else ["--auto-approve"]))
        assert (done.exit_code, said in " ".join(done.stderr.split())) == (64, True), done.output


def test_the_list_is_bounded_and_narrow_terminals_have_it_too(
    timed: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shop.run(
        "insert into orchestra.scheduled_run "
        "(project, workload, scheduled_for, started_at, finished_at, status, error) "
        "select 'shop', 'purge', t, t, t + interval '1 s', 'failed', E'a\\x1b[31m very long error that goes on and on' "
        "from generate_series(now() - interval '1 day', now(), interval '1 hour') t"
    )
    done = timed("runs", "--limit", "3")
    lines = done.stdout.splitlines()
    assert "  … 3 are shown; --limit shows more" in lines
    assert all(len(line) <= 40 for line in lines[1:]), lines
    assert "\x1b" not in done.stdout
    document = valid(timed("runs", "--limit", "3", "--format", "json").stdout)
    assert (len(document["scheduled"]), document["scheduled_more"]) == (3, True)


def test_every_server_can_be_asked(hosted: Shop) -> None:
    """As the role that owns the project, which is no superuser there."""
    hosted.apply(SHOP)
    hosted.db.script(
        "insert into orchestra.scheduled_run (project, workload, scheduled_for) values ('shop', 'nightly', now())"
    )
    page = occurrences.scheduled(hosted.db, "shop", workload="nightly", limit=5)
    assert [(one.kind, one.status) for one in page.found] == [("sql", "running")]
    assert occurrences.show(hosted.db, "shop", page.found[0].id) is not None
    assert occurrences.show(hosted.db, "shop", "j1") is None
    assert occurrences.calls(hosted.db, "shop", limit=5).found == ()


def test_a_history_of_hundreds_of_thousands_is_not_read_for_the_newest(timed: Run, shop: Shop) -> None:
    shop.run(
        "insert into orchestra.scheduled_run (project, workload, scheduled_for, started_at, status) "
        "select 'shop', 'purge', t, t, 'done' from generate_series(now() - interval '2 days', now(), '1 s') t"
    )
    shop.run(
        "insert into orchestra.fired (project, workload, scheduled_for, position, outcome) "
        "select 'shop', 'nightly', t, 1, 'skipped' from generate_series(now() - interval '2 days', now(), '1 s') t"
    )
    shop.run("vacuum analyze orchestra.scheduled_run, orchestra.fired")
    database = connect(shop.dsn)
    try:
        for source in ("scheduled_runs", "due_times"):
            names = occurrences._Asked("shop", limit=21).names()
            sql = f"explain (analyze, format json) {occurrences._sql(source)}"
            (row,) = database.rows(sql, names)
            read = list(_read(row["QUERY PLAN"][0]["Plan"], ("scheduled_run", "fired")))
            assert read
            assert all(node == "Index Scan" and rows <= 21 for node, rows in read), read
    finally:
        database.close()


def _read(plan: Any, tables: tuple[str, ...]) -> Any:
    """Each node that reads one of these tables, and how many rows it gave at a time."""
    if plan.get("Relation Name") in tables:
        yield plan["Node Type"], plan["Actual Rows"]
    for inner in plan.get("Plans", ()):
        yield from _read(inner, tables)
