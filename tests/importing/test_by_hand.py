"""What somebody made by hand becomes a spec that says where everything comes from."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from engines import Engine
from engines.waiting import eventually
from hand_made import SEED, above, imported, job, made_by_hand, ran, why

from orchestra.importing import Options
from orchestra.spec.model import ScheduleTrigger, SqlHandler

GOLDEN = Path(__file__).parent / "golden"
APP = """
    create schema app;
    create table app.sessions (id int primary key, expires_at timestamptz);
    create table app.orders (id int primary key, total int, note text);
    select pgmq.create('emails');
    select pgmq.create_unlogged('hits');
    create function app.mail() returns trigger language plpgsql security definer as $$
      begin perform pgmq.send('emails', to_jsonb(new)); return new; end $$;
    create function app.count_up(url text) returns bigint language sql as $$
      select pgmq.send('hits', jsonb_build_object('url', url)) $$;
    create function app.hit() returns trigger language plpgsql as $$
      begin perform app.count_up('x'); return null; end $$;
    create function app.anywhere() returns trigger language plpgsql as $$
      begin perform pgmq.send(tg_argv[0], to_jsonb(new)); return new; end $$;
    create function app.work() returns bigint language sql as $$
      select count(*) from pgmq.read('hits', 30, 5) $$;
    create trigger "Mail it" after insert or update of total on app.orders
      for each row execute function app.mail();
    create trigger hit after delete on app.orders for each statement execute function app.hit();
    create trigger anywhere after insert on app.sessions for each row execute function app.anywhere('emails');
    create trigger later after delete on app.sessions for each row execute function app.mail();
    alter table app.sessions disable trigger later;
"""


def test_the_published_sample_is_a_paused_queue_whose_consumer_fails(engine: Engine) -> None:
    made_by_hand(engine, SEED)
    [(consumer,)] = engine.execute("select jobid from cron.job")
    for _ in range(3):
        ran(engine, consumer, 0.01, 'ERROR:  column "processed" does not exist\nLINE 3:  WHERE processed')
    found = imported(engine)
    (workload,) = found.spec.workloads
    assert (workload.name, workload.queue.name, workload.paused) == ("my-tasks", "my_tasks", True)
    said = above(found, "my-tasks")
    assert 'Its consumer is cron job 1 "consume-my-tasks".' in said
    assert 'It has failed at every one of its last 3 runs: column "processed" does not exist.' in said
    assert "run `select cron.unschedule(1)`" in said
    assert 'consumer of queue "my_tasks"' in why(found, "consume-my-tasks")
    assert "WHERE processed = true" in found.text


@pytest.mark.engines("embedded", "pg17")
def test_a_job_that_fails_each_tick_is_told_from_its_own_runs(engine: Engine) -> None:
    made_by_hand(engine, SEED.replace("'0 0 1 1 *'", "'1 second'"))
    engine.fresh_launcher()
    failed = "select count(*) > 1 from cron.job_run_details where status = 'failed'"
    with engine.run_ticker():
        eventually(lambda: engine.execute(failed) == [(True,)], within=30, what="two runs that fail")
    assert re.search(
        r'It has failed at every one of its last \d+ runs: column "processed" does not exist\.',
        above(imported(engine), "my-tasks"),
    )


def test_a_job_keeps_its_schedule_its_statement_and_its_search_path(engine: Engine) -> None:
    made_by_hand(engine, "create schema app; create table app.log (at timestamptz)")
    engine.execute("alter role postgres set search_path = app, gone, public")
    try:
        job(engine, "Tidy Up!", "5  4 * * 1-5", "\n    delete from log\n      where at < now();\n  ")
        (workload,) = imported(engine).spec.workloads
    finally:
        engine.execute("alter role postgres reset search_path")
    assert workload.name == "tidy-up"
    assert workload.triggers == (ScheduleTrigger(cron="5 4 * * 1-5"),)
    assert workload.handler == SqlHandler("delete from log\n  where at < now()", None, ("app", "public"))


def test_durations_come_from_the_longest_run_or_are_called_a_guess(engine: Engine) -> None:
    made_by_hand(engine)
    timed, other = (
        job(engine, "timed", "0 * * * *", "select 1"),
        job(engine, "other", "0 * * * *", "select 2"),
    )
    for seconds in (1, 12, 3):
        ran(engine, timed, seconds)
    found = imported(engine)
    assert {w.name: w.durations.max_ms for w in found.spec.workloads} == {"timed": 60_000, "other": 600_000}
    assert "# From pg_cron's notes: the longest of 3 runs took 12.0 s." in found.text
    assert "# A guess: pg_cron has noted no run of it." in found.text
    assert other > timed


def test_an_inactive_job_becomes_a_paused_workload(engine: Engine) -> None:
    made_by_hand(engine)
    asleep = job(engine, "asleep", "0 * * * *", "select 1")
    engine.execute("select cron.alter_job(%s, active => false)", [asleep])
    found = imported(engine)
    assert [w.paused for w in found.spec.workloads] == [True]
    assert "The job is inactive, so this is paused." in above(found, "asleep")


def test_senders_and_readers_are_followed_through_functions_and_triggers(engine: Engine) -> None:
    made_by_hand(engine, APP)
    worker = job(engine, "work", "* * * * *", "select app.work()")
    job(engine, "ping", "0 * * * *", "select pgmq.send('emails', '{}')")
    found = imported(engine)
    emails, hits = above(found, "emails"), above(found, "hits")
    assert 'A trigger "Mail it" on app.orders sends to it, by function app.mail(); it goes on' in emails
    assert 'A trigger "later" on app.sessions sends to it, by function app.mail(); it is disabled.' in emails
    assert 'Also cron job 2 "ping" sends to it.' in emails
    assert "Nothing in the database says who consumes it" in emails
    assert 'A trigger "hit" on app.orders sends to it, by function app.hit()' in hits
    assert "app.count_up() sends to it." in hits
    assert f'Its consumer is cron job {worker} "work", here workload work.' in hits
    assert "app.work() reads it." in hits
    assert "trigger: {table: {name: app.orders, on: [insert, update], columns: [total]}}" in found.text
    assert "a queue whose name only a run tells" in why(found, '"anywhere" on app.sessions')
    assert "(E313)" in why(found, '"ping"')


def test_what_a_spec_cannot_hold_stands_in_it_with_the_reason(engine: Engine) -> None:
    made_by_hand(
        engine,
        "create table public.t (id int); create table public.busy (id int); select pgmq.create('emails')",
    )
    refused = {
        "vacuum": ("0 3 * * *", "vacuum analyze public.t", "VACUUM cannot be a handler (E312)"),
        "two": ("0 3 * * *", "delete from public.t; delete from public.busy", "holds 2 statements (E311)"),
        "block": ("0 3 * * *", "do $$ begin perform 1; end $$", "Put the block into a function"),
        "proc": ("0 3 * * *", "call public.maintain()", "it calls a procedure, which may commit"),
        "six": ("*/30 * * * * *", "select 1", "has 6 fields, not five (E401)"),
        "never": ("0 0 30 2 *", "select 1", "never comes (E407)"),
        "broken": ("0 3 * * *", "delete form public.t", "this is no SQL"),
        "open": ("0 3 * * *", "select 'open", "it is no SQL that could be read"),
        "gone": ("0 3 * * *", "delete from public.gone", 'relation "public.gone" does not exist'),
        "jobs": (
            "0 3 * * *",
            "delete from cron.job_run_details",
            "it prunes pg_cron's own notes",
        ),
        "hook": (
            "0 3 * * *",
            "select net.http_post('https://x.example/functions/v1/report')",
            "Edge Function report",
        ),
        "orchestra:old:tick.5s": ("0 3 * * *", "call orchestra.tick('old', 5000)", "an orchestra made it"),
    }
    ids = {name: job(engine, name, schedule, command) for name, (schedule, command, _) in refused.items()}
    elsewhere = job(engine, "elsewhere", "0 3 * * *", "select pgmq.pop('emails')")
    engine.execute("update cron.job set database = 'template1' where jobid = %s", [elsewhere])
    found = imported(engine)
    assert [w.name for w in found.spec.workloads] == ["emails"]
    assert "says who consumes it" in above(found, "emails"), (
        "what reads a queue of that name elsewhere is no consumer"
    )
    for name, (schedule, _, reason) in refused.items():
        assert reason in why(found, f'cron job {ids[name]} "{name}" (role postgres, schedule "{schedule}")')
    assert "it runs in database template1" in why(found, "elsewhere")
    for command in ("vacuum analyze public.t", "delete from public.busy", "call public.maintain()"):
        assert f"#     {command}" in found.text or f"; {command}" in found.text


def test_jobs_of_another_role_are_left_to_it(engine: Engine) -> None:
    made_by_hand(engine, "create role other superuser login")
    job(engine, "nightly", "0 3 * * *", "select 1")
    engine.execute("select cron.schedule('nightly', '0 4 * * *', 'select 2')", user="other")
    found = imported(engine)
    assert [(m.workload, m.adopt) for m in found.made] == [("nightly", "cron_job.nightly=nightly")]
    assert "it belongs to role other" in why(found, "role other")
    assert [w.triggers for w in imported(engine, user="other").spec.workloads] == [
        (ScheduleTrigger(cron="0 4 * * *"),)
    ]


def test_queues_that_orchestra_cannot_hold_are_named(engine: Engine) -> None:
    made_by_hand(
        engine, "select pgmq.create('whole'); select pgmq.create('half'); select pgmq.create('Upper')"
    )
    engine.psql("""
        insert into pgmq.meta (queue_name, is_partitioned, is_unlogged)
          values ('upper', false, false), ('parts', true, false);
        drop table pgmq.q_half;
    """)
    found = imported(engine)
    assert [w.name for w in found.spec.workloads] == ["whole"]
    assert "adopts no partitioned queue" in why(found, '"parts"')
    assert "one of its two tables is gone" in why(found, '"half"')
    for name, twin in (("Upper", "upper"), ("upper", "Upper")):
        assert f'shares its tables with queue "{twin}"' in why(found, f'"{name}"')


HOSTILE = (
    "Nightly Job",
    "nightly-job",
    "NIGHTLY_JOB",
    "日本語のジョブ",
    "x" * 63,
    "x" * 62 + "y",
    'it\'s "quoted" $(rm -rf /) `id`; --',
    "x # orchestra: ignore[E313] because",
    "]] } {{ : & * ! | >",
    "a\u202eb",
    "line\nbreak",
    "tab\tstop",
    "",
    "emails",
    None,
    None,
)


def test_hostile_names_become_names_of_their_own(engine: Engine) -> None:
    made_by_hand(engine, f"select pgmq.create('emails'); select pgmq.create('{'q' * 47}')")
    for name in HOSTILE:
        job(engine, name, "0 3 * * *", "select 1")
    found = imported(engine)
    assert len(found.spec.workloads) == 2 + len(HOSTILE)
    assert {w.name for w in found.spec.workloads} >= {
        "emails",
        "q" * 40,
        "emails-job",
        "nightly-job",
        "x" * 40,
    }
    assert found.spec.ignores == ()
    paused = [m for m in found.made if m.adopt is None]
    assert all(m.paused for m in paused)
    assert len(paused) == 7  # two without a name, one empty, and those that no line can hold
    assert found.warnings == tuple(w for w in found.warnings if not w.is_error)


def test_an_import_is_the_same_each_time_and_on_every_server(
    engine: Engine, golden: Callable[[Path, str], None]
) -> None:
    made_by_hand(engine, SEED + APP)
    tidy = job(engine, "Tidy", "*/15 * * * *", "delete from app.sessions where expires_at < now()")
    job(engine, None, "@hourly", "\n  select count(*)\n  from app.orders\n")
    job(engine, "vacuum", "0 3 * * *", "vacuum analyze app.orders")
    job(engine, "report", "0 6 * * 1", "select net.http_post('https://abc.example/functions/v1/report')")
    ran(engine, tidy, 0.25)
    found = imported(engine, Options("shop"))
    assert imported(engine, Options("shop")) == found
    golden(GOLDEN / "by_hand.yaml", found.text)


def test_unqualified_names_need_no_extension_of_their_own(engine: Engine) -> None:
    """Only pg_cron is there: an app without queues."""
    engine.execute("create extension pg_cron")
    job(engine, "count", "0 3 * * *", "select count(*) from pg_class")
    assert [w.name for w in imported(engine).spec.workloads] == ["count"]


def test_a_queue_without_pg_cron_is_enough(embedded: Engine) -> None:
    embedded.execute("create extension pgmq")
    embedded.execute("select pgmq.create('alone')")
    assert [w.name for w in imported(embedded).spec.workloads] == ["alone"]


def test_a_role_that_may_not_read_the_notes_is_told_that_durations_are_guesses(embedded: Engine) -> None:
    hosted = embedded.hosted()
    embedded.execute("revoke all on cron.job_run_details from postgres_like, public")
    embedded.execute("select cron.schedule('mine', '0 3 * * *', 'select 1')", user=hosted.role)
    found = imported(embedded, user=hosted.role)
    assert "# A guess: this role may not read pg_cron's notes of its runs." in found.text
    assert any("every duration is a guess" in note for note in found.notes)


def test_a_command_as_long_as_a_book_is_shown_in_part(embedded: Engine) -> None:
    made_by_hand(embedded)
    job(embedded, "wide", "0 3 * * *", "vacuum /*" + "x" * 200_000 + "*/ pg_class")
    job(embedded, "long", "0 3 * * *", "select 1;\n" * 5_000)
    job(embedded, "large", "0 3 * * *", f"select '{'x y ' * 50_000}'")
    found = imported(embedded)
    assert len(found.text) < 10_000
    assert "more lines" in found.text
    assert "at most 100,000" in why(found, "large")


def test_the_hosted_role_is_told_what_it_cannot_see(engine: Engine) -> None:
    hosted = engine.hosted()
    engine.execute("select pgmq.create('emails')", user=hosted.role)
    engine.execute("select cron.schedule('mine', '0 3 * * *', 'select 1')", user=hosted.role)
    engine.execute("select cron.schedule('hidden', '0 3 * * *', 'select 1')")
    found = imported(engine, user=hosted.role)
    assert {w.name for w in found.spec.workloads} == {"emails", "mine"}
    assert any("pg_cron shows role postgres_like its own jobs only" in note for note in found.notes)
