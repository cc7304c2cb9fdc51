"""Cron failures that the database hides, with the real pg_cron: each is told, and what is no failure is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from acceptance.live import apply
from acceptance.world import net_worker
from apply.shop import HEAD, QUEUE, SHOP, Shop
from engines import Engine
from engines.waiting import eventually
from looking import alert, kinds, look

from orchestra.spec import parse_spec

WORKER = "orchestra:shop:import.worker-1"
HOUSEKEEP = "orchestra:shop:housekeep.1m"
QUICK = QUEUE.replace("poll_interval: 1m", "poll_interval: 1s")
EDGE = """\
version: 1
project: shop
platform: {provider: supabase, plan: pro}
workloads:
  work:
    trigger: manual
    duration: {typical: 20ms, max: 2s}
    poll_interval: 1s
"""


def started(shop: Shop, job: str, ago: str, status: str = "succeeded", message: str = "CALL") -> None:
    """A run as pg_cron notes it."""
    shop.run(
        "insert into cron.job_run_details (jobid, runid, job_pid, database, username, command, status, return_message, "
        "start_time, end_time) select j.jobid, nextval('cron.runid_seq'), 1, j.database, j.username, j.command, %s, "
        "%s, now() - %s::interval, now() - %s::interval + interval '1 ms' from cron.job j where j.jobname = %s",
        status,
        message,
        ago,
        ago,
        job,
    )


def applied_long_ago(shop: Shop, *quiet: str) -> None:
    """An hour ago; every job but these ran a moment ago."""
    shop.run("update orchestra.registry set updated_at = now() - interval '1 hour'")
    for (job,) in shop.run("select jobname from cron.job where jobname <> all (%s)", list(quiet)):
        started(shop, job, "10 seconds")


def test_right_after_an_apply_all_is_well(shop: Shop) -> None:
    shop.apply(SHOP)
    found = look(shop.dsn)
    assert kinds(found) == []
    assert {j.name for j in found.jobs} == {r[0] for r in shop.run("select jobname from cron.job")}


def test_a_job_that_was_switched_off(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("select cron.alter_job(jobid, active => false) from cron.job where jobname = %s", WORKER)
    assert kinds(look(shop.dsn)) == [(WORKER, "job_inactive")]
    assert alert(look(shop.dsn), "job_inactive").workload == "import"


def test_a_job_that_is_gone(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("select cron.unschedule(%s)", HOUSEKEEP)
    found = look(shop.dsn)
    assert kinds(found) == [(HOUSEKEEP, "job_missing")]
    assert found.alerts[0].workload is None


def test_a_job_that_runs_in_another_database(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("select cron.alter_job(jobid, database => 'template1') from cron.job where jobname = %s", WORKER)
    found = look(shop.dsn)
    assert kinds(found) == [(WORKER, "job_elsewhere")]
    assert "runs in database template1, and its work is in postgres" in found.alerts[0].reason


def test_a_job_that_runs_as_another_role(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("update cron.job set username = 'clerk' where jobname = %s", WORKER)
    found = look(shop.dsn)
    assert kinds(found) == [(WORKER, "job_role")]
    assert "runs as role clerk, and the project belongs to postgres" in found.alerts[0].reason


def test_a_second_job_of_the_name_under_another_role(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run(
        "insert into cron.job (schedule, command, nodename, nodeport, database, username, active, jobname) "
        "select schedule, command, nodename, nodeport, database, 'clerk', true, jobname from cron.job "
        "where jobname = %s",
        WORKER,
    )
    assert kinds(look(shop.dsn)) == [(WORKER, "job_twice")]


def test_a_job_that_was_rescheduled_by_hand_even_to_nonsense(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run(
        "select cron.alter_job(jobid, schedule => '*/30 * * * * *') from cron.job where jobname = %s", WORKER
    )
    assert kinds(look(shop.dsn)) == [(WORKER, "job_changed")]
    assert "'*/30 * * * * *'" in look(shop.dsn).alerts[0].reason


def test_a_run_that_failed_and_those_before_it(shop: Shop) -> None:
    shop.apply(QUEUE)
    started(shop, WORKER, "3 minutes")
    for ago in ("2 minutes", "1 minute"):
        started(shop, WORKER, ago, "failed", "connection failed\nCONTEXT: of no interest")
    found = look(shop.dsn)
    assert kinds(found) == [(WORKER, "job_failed")]
    assert found.alerts[0].reason.endswith("failed in each of its last 2 runs: connection failed")
    started(shop, WORKER, "1 second")
    assert kinds(look(shop.dsn)) == []


def test_a_job_that_the_launcher_does_not_begin_while_others_run(shop: Shop) -> None:
    shop.apply(QUEUE)
    started(shop, WORKER, "20 minutes")
    applied_long_ago(shop, WORKER)
    found = look(shop.dsn)
    assert kinds(found) == [(WORKER, "job_late")]
    assert "last began 20m ago" in found.alerts[0].reason


def test_a_job_that_never_ran_while_the_record_would_show_it(shop: Shop) -> None:
    shop.apply(QUEUE)
    started(shop, HOUSEKEEP, "30 minutes")
    applied_long_ago(shop, WORKER)
    assert kinds(look(shop.dsn)) == [(WORKER, "job_late")]


def test_a_launcher_that_begins_nothing_is_one_alert(shop: Shop) -> None:
    """`cron.launch_active_jobs` is off here: the launcher is there, every job is active, and none has a run."""
    shop.apply(SHOP)
    names = [name for (name,) in shop.run("select jobname from cron.job")]
    applied_long_ago(shop, *names)
    found = look(shop.dsn)
    assert kinds(found) == [(None, "cron")]
    assert f"none of {len(names) - 2} cron jobs that are due has begun since they" in found.alerts[0].reason
    for job in names:
        started(shop, job, "10 minutes")
    assert "has begun for 10m" in alert(look(shop.dsn), "cron").reason


def test_a_record_that_was_emptied_is_no_failure(shop: Shop) -> None:
    shop.apply(QUEUE)
    applied_long_ago(shop)
    shop.run("call orchestra.housekeep('shop')")
    shop.run("truncate cron.job_run_details")
    assert kinds(look(shop.dsn)) == []


def test_a_long_run_is_not_late(shop: Shop) -> None:
    shop.apply(QUEUE)
    applied_long_ago(shop, WORKER)

    def is_well() -> bool:
        """A launcher that starts again, after a test before, takes every run that goes on for one that failed."""
        shop.run("delete from cron.job_run_details where start_time < now() - interval '10 minutes'")
        started(shop, WORKER, "20 minutes", "running", "")
        return kinds(look(shop.dsn)) == []

    eventually(is_well, within=30)


def test_a_due_time_that_nobody_dealt_with(shop: Shop) -> None:
    shop.apply(SHOP)
    shop.run(
        "update orchestra.schedule set since = now() - interval '30 days' where workload = 'purge-sessions'"
    )
    found = look(shop.dsn)
    assert kinds(found) == [("purge-sessions", "missed")]
    due = shop.one(
        "select orchestra.previous_due('*/15 * * * *', null, null, now() - interval '3 minutes') = %s",
        found.workloads[1].runs.missed,  # type: ignore[union-attr]
    )
    assert due
    shop.run(
        "insert into orchestra.fired (project, workload, position, scheduled_for, outcome) "
        "values ('shop', 'purge-sessions', 1, %s, 'paused')",
        found.workloads[1].runs.missed,  # type: ignore[union-attr]
    )
    assert kinds(look(shop.dsn)) == []


def test_a_run_that_failed_is_told_once_though_its_job_failed_too(shop: Shop) -> None:
    shop.apply(
        "workloads:\n  purge:\n    trigger: {schedule: {every: 1m}}\n    duration: {max: 5s}\n"
        '    run: {sql: "select 1 / (:attempt - :attempt)"}\n'
    )
    shop.run("update orchestra.schedule set since = now() - interval '2 minutes'")
    with pytest.raises(Exception, match="division by zero") as failed:
        shop.run("call orchestra.fire('shop', 'purge', 1)")
    started(shop, "orchestra:shop:purge", "1 second", "failed", f"ERROR:  {failed.value}")
    found = look(shop.dsn)
    assert kinds(found) == [("purge", "run_failed")]
    assert "division by zero" in found.alerts[0].reason


@pytest.mark.engines("pg17")
def test_a_job_that_fails_at_each_of_its_real_runs(engine: Engine) -> None:
    spec = parse_spec(HEAD.format(project="shop") + QUICK, "orchestra.yaml").spec
    assert spec is not None
    apply(engine, spec)
    engine.fresh_launcher()
    engine.execute("alter procedure orchestra.drain_sql(text, text, int) rename to drained")
    eventually(lambda: (WORKER, "job_failed") in kinds(look(engine.dsn)), within=30)
    assert "procedure orchestra.drain_sql" in alert(look(engine.dsn), "job_failed").reason
    engine.execute("alter procedure orchestra.drained(text, text, int) rename to drain_sql")
    eventually(lambda: kinds(look(engine.dsn)) == [], within=30)


@contextmanager
def answering(status: int) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"Invalid API key")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.engines("pg17")
def test_runs_that_succeeded_though_their_call_was_refused(engine: Engine) -> None:
    role = engine.hosted(calls=True)
    spec = parse_spec(EDGE, "orchestra.yaml").spec
    assert spec is not None
    apply(engine, spec, user=role.role)
    engine.fresh_launcher()
    with answering(401) as url, net_worker(engine):
        for name, value in (("orchestra_function_url", url), ("orchestra_function_key", "wrong")):
            engine.execute("select vault.create_secret(%s, %s)", [value, name])
        engine.execute("select pgmq.send('work', '{}'::jsonb)")
        eventually(lambda: ("orchestra:shop:tick.1s", "wake") in kinds(look(role.dsn)), within=30)
    found = look(role.dsn)
    assert alert(found, "wake").workload == "work"
    assert "answered 401: Invalid API key; cron job orchestra:shop:tick.1s" in alert(found, "wake").reason
    assert found.calls is not None
    assert found.calls.failed >= 1
    seen = engine.execute(
        "select distinct d.status from cron.job_run_details d join cron.job j using (jobid) "
        "where j.jobname like '%%tick%%' and d.status not in ('starting', 'running')"
    )
    assert seen == [("succeeded",)], "which is what hides it"
    engine.execute("select pgmq.purge_queue('work')")
    assert kinds(look(role.dsn)) == [], "nothing waits for it any more"


@pytest.mark.engines("pg17")
def test_calls_that_never_leave_because_pg_net_has_no_worker(engine: Engine) -> None:
    role = engine.hosted(calls=True)
    spec = parse_spec(EDGE, "orchestra.yaml").spec
    assert spec is not None
    apply(engine, spec, user=role.role)
    for name, value in (("orchestra_function_url", "http://127.0.0.1:1"), ("orchestra_function_key", "k")):
        engine.execute("select vault.create_secret(%s, %s)", [value, name])
    engine.execute("select pgmq.send('work', '{}'::jsonb)")
    engine.execute("call orchestra.tick('shop', 1000)", user=role.role)
    engine.execute("update orchestra.wake set last_at = now() - interval '1 minute'")
    assert "has not left the queue of pg_net" in alert(look(role.dsn), "wake").reason


@pytest.mark.engines("pg17")
def test_a_role_that_is_not_shown_the_jobs_says_so_and_raises_no_alarm(engine: Engine) -> None:
    role = engine.hosted()
    spec = parse_spec(HEAD.format(project="shop") + QUEUE, "orchestra.yaml").spec
    assert spec is not None
    apply(engine, spec, user=role.role)
    engine.psql("create role watcher login in role postgres_like")
    watcher = engine.url(user="watcher")
    assert look(role.dsn).projects[0].sees_jobs
    found = look(watcher)
    assert not found.projects[0].sees_jobs
    assert kinds(found) == []
    engine.execute("update orchestra.registry set updated_at = now() - interval '1 hour'")
    engine.execute("delete from orchestra.traffic")
    assert kinds(look(watcher)) == [(None, "cron")]
    engine.execute("call orchestra.housekeep('shop')", user=role.role)
    assert kinds(look(watcher)) == []
