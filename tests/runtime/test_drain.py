"""Consumers of queues: attempts, verdicts, fences, settings, roles. Each call of a worker is made directly."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import psycopg
import pytest

from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")


@pytest.fixture
def effects(db: RuntimeDb) -> str:
    """A table for what handlers do."""
    db.run("drop table if exists public.effect")
    db.run(
        "create table public.effect "
        "(msg_id bigint, attempt int, payload jsonb, at timestamptz default clock_timestamp())"
    )
    # Errors and sleeps that the planner cannot fold away or leave out.
    db.run(
        """create or replace function public.work(seconds float8, fails boolean) returns void language plpgsql as $$
        begin
          perform pg_sleep(seconds);
          if fails then raise division_by_zero using message = 'division by zero'; end if;
        end $$"""
    )
    return "insert into public.effect (msg_id, attempt, payload) values ($3, $2, $1)"


def working(effects: str, seconds: str, fails: str = "false") -> str:
    """A handler that works for a while, may fail, and then has its effect."""
    return f"with w as materialized (select public.work({seconds}, {fails})) " + effects.replace(
        "values ($3, $2, $1)", "select $3, $2, $1 from w"
    )


def test_a_worker_empties_its_queue(db: RuntimeDb, effects: str) -> None:
    name = db.queue(effects)
    db.send_many(name, 200)
    db.drain(name)
    assert db.depth(name) == 0
    assert db.rows(
        "select count(*), count(distinct msg_id), min(attempt), max(attempt) from public.effect"
    ) == [(200, 200, 1, 1)]
    assert db.slot(name) == (None, None, [], [])
    assert db.rows("select * from orchestra.delivery where workload = %s", name) == []


def test_what_arrives_while_a_handler_runs_is_taken_in_the_same_run(db: RuntimeDb, effects: str) -> None:
    name = db.queue(working(effects, "0.3"))
    db.send(name)
    with db.background(lambda: db.drain(name)):
        db.running_pid(name)
        db.send(name)
    assert db.one("select count(*) from public.effect") == 2


def test_a_failure_waits_and_the_last_attempt_ends_in_the_dead_letters(db: RuntimeDb, effects: str) -> None:
    name = db.queue(
        "select 1 / ($1::int - 7)", max_attempts=3, backoff_initial_ms=50, backoff_factor=2, backoff_max_ms=80
    )
    bad = db.send(name, "7")
    good = db.send(name, "8")
    waits = []
    for attempt in (1, 2):
        db.drain(name)
        waits.append(
            db.one(
                f"select extract(epoch from q.vt - d.updated_at) * 1000 from pgmq.q_{name} q "
                "join orchestra.delivery d on d.workload = %s and d.msg_id = q.msg_id",
                name,
            )
        )
        assert db.rows(
            "select settled, free, last_error from orchestra.delivery where workload = %s", name
        ) == [(attempt, 0, "division by zero")]
        time.sleep(0.1)
    db.drain(name)
    # From the statement's clock to the transaction's: a little more than the wait itself, more on a busy machine.
    assert waits[0] >= 50
    assert waits[1] >= 80
    assert max(waits) < 1000
    assert db.dead(name) == [(bad, 3, "exhausted", "division by zero", "22012")]
    assert db.rows(
        "select payload, enqueued_at < dead_at from orchestra.dead_letter where workload = %s", name
    ) == [(7, True)]
    assert good != bad
    assert db.depth(name) == 0
    assert db.rows("select * from orchestra.delivery where workload = %s", name) == []


def test_full_jitter_spreads_over_the_whole_wait(db: RuntimeDb) -> None:
    name = db.queue(backoff_jitter="full", backoff_initial_ms=1000, backoff_factor=2, backoff_max_ms=5000)
    waits = db.rows(
        "select extract(epoch from orchestra.backoff(w, a))::float8, a "
        "from orchestra.workload w, generate_series(1, 6) a, generate_series(1, 200) where name = %s",
        name,
    )
    for attempt, cap in ((1, 1), (2, 2), (3, 4), (4, 5), (6, 5)):
        these = [w for w, a in waits if a == attempt]
        assert all(0 <= w <= cap for w in these)
        assert min(these) < cap * 0.2
        assert max(these) > cap * 0.8


def test_no_factor_and_no_number_of_attempts_overflows(db: RuntimeDb) -> None:
    name = db.queue(backoff_initial_ms=2**31 - 1, backoff_factor=1e300, backoff_max_ms=2**31 - 1)
    assert (
        db.one("select orchestra.backoff(w, 2147483647) from orchestra.workload w where name = %s", name).days
        == 24
    )


def test_a_permanent_failure_goes_to_the_dead_letters_at_once(db: RuntimeDb) -> None:
    name = db.queue("select orchestra.reject('no such customer')", max_attempts=9)
    ident = db.send(name)
    db.drain(name)
    assert db.dead(name) == [(ident, 1, "permanent", "no such customer", "ORC01")]


def test_a_snooze_costs_no_attempt(db: RuntimeDb) -> None:
    name = db.queue(
        "select orchestra.snooze('20 ms')", max_attempts=2, backoff_initial_ms=20, backoff_max_ms=20
    )
    db.send(name)
    for _ in range(4):
        db.drain(name)
        time.sleep(0.03)
    assert db.dead(name) == []
    assert db.rows("select free, last_error from orchestra.delivery where workload = %s", name) == [(4, None)]
    db.alter(name, sql="select 1 / case $2 when 2 then 1 else 0 end")
    db.drain(name)
    assert db.rows("select free, last_error from orchestra.delivery where workload = %s", name) == [
        (4, "division by zero")
    ]
    time.sleep(0.03)
    db.drain(name)
    assert db.depth(name) == 0
    assert db.dead(name) == []


def test_a_snooze_without_an_interval_is_a_failure(db: RuntimeDb) -> None:
    name = db.queue(
        "do $$ begin raise exception 'later' using errcode = 'ORC02', hint = 'soon'; end $$", max_attempts=1
    )
    db.send(name)
    db.drain(name)
    assert db.dead(name)[0][3] == "snoozed without an interval in its hint (soon): later"


@pytest.mark.parametrize(
    "handler",
    [
        "select no_such_column",
        "select * from nowhere",
        "do $$ begin assert false, 'assertion'; end $$",
        "do $$ begin raise query_canceled; end $$",
        "do $$ begin commit; end $$",
        "this is no sql",
        "select 1; select 2/0",
        "rollback",
    ],
)
def test_whatever_a_handler_raises_is_caught_for_its_own_message(
    db: RuntimeDb, effects: str, handler: str
) -> None:
    name = db.queue(handler, max_attempts=1)
    first = db.send(name)
    second = db.send(name)
    db.drain(name)
    assert [d[0] for d in db.dead(name)] == [first, second]


def test_a_constraint_that_was_deferred_to_the_commit_fails_the_message_and_not_the_worker(
    db: RuntimeDb,
) -> None:
    db.run("create table if not exists public.parent (id int primary key)")
    db.run(
        "create table if not exists public.child (id int references public.parent deferrable initially deferred)"
    )
    name = db.queue("insert into public.child values (($1::int))", max_attempts=1)
    db.send(name, "1")
    db.run("insert into public.parent values (2) on conflict do nothing")
    db.send(name, "2")
    db.drain(name)
    assert [d[4] for d in db.dead(name)] == ["23503"]
    assert db.rows("select id from public.child") == [(2,)]


def test_a_failed_handler_leaves_no_effect(db: RuntimeDb, effects: str) -> None:
    name = db.queue(f"with x as ({effects} returning 1) select 1 / 0 from x", max_attempts=1)
    db.send(name)
    db.drain(name)
    assert db.one("select count(*) from public.effect") == 0
    assert len(db.dead(name)) == 1


def test_a_worker_that_lost_its_lease_can_neither_acknowledge_nor_fail(db: RuntimeDb, effects: str) -> None:
    """Guarantee 4: while the first handler sleeps, its lease lapses and the message is handed out again."""
    for ending in (working(effects, "$1::float8"), working(effects, "$1::float8", "true")):
        name = db.queue(
            ending, visibility_timeout_ms=100, concurrency=2, max_attempts=5, backoff_initial_ms=3_600_000
        )
        ident = db.send(name, "0.5")
        with db.background(lambda n=name: db.drain(n)):  # type: ignore[misc]
            db.running_pid(name)
            time.sleep(0.15)
            db.run(f"update pgmq.q_{name} set vt = now() + interval '1 hour', read_ct = read_ct + 1")
        assert db.rows(f"select msg_id, read_ct, vt > now() + interval '59 minutes' from pgmq.q_{name}") == [
            (ident, 2, True)
        ]
        assert db.rows("select * from orchestra.delivery where workload = %s", name) == []
        assert db.one("select count(*) from public.effect") == 0
        assert db.dead(name) == []


def test_two_holders_of_one_message_leave_one_effect(db: RuntimeDb, effects: str) -> None:
    slow = working(effects, "case $2 when 1 then 0.4 else 0 end")
    name = db.queue(slow, visibility_timeout_ms=100, concurrency=2, max_attempts=9)
    db.send(name)
    with db.background(lambda: db.drain(name, 1)):
        db.running_pid(name)
        time.sleep(0.15)
        db.drain(name, 2)
    assert db.rows("select attempt from public.effect") == [(2,)]
    assert db.depth(name) == 0


def test_settings_are_read_at_the_failure_and_at_the_claim(db: RuntimeDb, effects: str) -> None:
    """Lowering max_attempts counts for what is under way."""
    name = db.queue(working(effects, "0.3", "true"), max_attempts=10)
    running = db.send(name)
    with db.background(lambda: db.drain(name)):
        db.running_pid(name)
        db.alter(name, max_attempts=1)
    assert db.dead(name) == [(running, 1, "exhausted", "division by zero", "22012")]

    db.alter(name, max_attempts=10, backoff_initial_ms=100, backoff_max_ms=100)
    waiting = db.send(name)
    db.drain(name)
    time.sleep(0.12)
    db.alter(name, max_attempts=1, sql="select")
    db.drain(name)
    assert db.dead(name)[1:] == [(waiting, 1, "exhausted", "division by zero", "22012")]


def test_nothing_begins_behind_a_closed_gate_or_in_a_pause(db: RuntimeDb, effects: str) -> None:
    name = db.queue(effects)
    db.send(name)
    db.run("select orchestra.pause(%s)", PROJECT)
    db.drain(name)
    db.run("select orchestra.resume(%s)", PROJECT)
    db.run("select orchestra.pause(%s, %s)", PROJECT, name)
    db.drain(name)
    assert db.depth(name) == 1
    db.run("select orchestra.resume(%s, %s)", PROJECT, name)
    db.drain(name)
    assert db.depth(name) == 0
    assert db.rows(
        "select verb, workload, role_name from orchestra.operator_log order by id desc limit 4"
    ) == [
        ("resume", name, "postgres_like"),
        ("pause", name, "postgres_like"),
        ("resume", None, "postgres_like"),
        ("pause", None, "postgres_like"),
    ]


def test_a_pause_stops_a_worker_between_two_messages(db: RuntimeDb) -> None:
    name = db.queue("select pg_sleep(0.05)")
    db.send_many(name, 100)
    with db.background(lambda: db.drain(name)):
        db.wait_for(f"select count(*) < 98 from pgmq.q_{name}")
        db.run("select orchestra.pause(%s, %s)", PROJECT, name)
    left = db.depth(name)
    assert 80 < left < 98
    assert db.one(f"select count(*) from pgmq.q_{name} where vt > now()") == 0


def test_a_project_without_a_row_runs_nothing(db: RuntimeDb) -> None:
    name = db.queue("select 1 / 0", project="ghost")
    db.send(name)
    with db.connect() as connection:
        connection.execute("call orchestra.drain_sql('ghost', %s, 1)", (name,))
    assert db.one(f"select read_ct from pgmq.q_{name}") == 0


def test_never_more_handlers_than_the_limit(db: RuntimeDb) -> None:
    """Guarantee 5: overlapping calls of every worker, with backends that are killed."""
    db.run("create table if not exists public.live (pid int primary key)")
    db.run("create table if not exists public.seen (workload text, live bigint)")
    name = db.queue(
        "select public.count_live()",
        concurrency=2,
        max_attempts=50,
        visibility_timeout_ms=1_000,
        timeout_ms=2_000,
    )
    # Live handlers hold a shared advisory lock each; a backend that dies lets go of its own.
    db.run(
        """create or replace function public.count_live() returns void language plpgsql as $$
        begin
          perform pg_advisory_xact_lock_shared(4711);
          perform pg_sleep(0.02);
          insert into public.seen
          select 'w', count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and granted;
        end $$"""
    )
    db.send_many(name, 150)
    stop = threading.Event()

    def work(worker: int) -> None:
        while not stop.is_set():
            with suppress(psycopg.Error):
                db.drain(name, worker)
            time.sleep(0.01)

    with db.background(*[lambda w=w: work(w) for w in (1, 1, 2, 2, 3)]):
        try:
            for _ in range(15):
                time.sleep(0.1)
                db.run(
                    "select pg_terminate_backend(pid) from orchestra.slot "
                    "where workload = %s and pid is not null limit 1",
                    name,
                )
            db.wait_for(f"select not exists (select from pgmq.q_{name})", seconds=30)
        finally:
            stop.set()
    assert db.one("select max(live) from public.seen") == 2
    assert db.one("select count(*) from public.seen") == 150
    assert db.dead(name) == []


def test_a_second_call_of_a_worker_leaves_while_the_first_works(db: RuntimeDb) -> None:
    name = db.queue("select pg_advisory_xact_lock_shared(4712)", concurrency=1)
    db.send_many(name, 2)
    with db.connect() as holder, db.background(lambda: db.drain(name)):
        holder.execute("select pg_advisory_lock(4712)")
        first = db.running_pid(name)
        db.drain(name)
        assert db.running_pid(name) == first
        holder.execute("select pg_advisory_unlock(4712)")
        assert db.one("select max(slot) from orchestra.slot where workload = %s", name) == 1


def test_a_worker_that_left_by_an_error_gives_its_slot_up_at_once(db: RuntimeDb) -> None:
    """The session lives on, the call does not: the slot is free although its lease runs."""
    name = db.queue("select pg_sleep(9)")
    db.send(name)
    connection = db.connect()
    with db.background(lambda: connection.execute("call orchestra.drain_sql(%s, %s, 1)", (PROJECT, name))):
        pid = db.running_pid(name)
        # Its queue is dropped meanwhile, so the verdict fails where nothing catches it and the call ends in an error.
        db.run(f"alter table pgmq.q_{name} rename to q_{name}_away")
        db.run("select pg_cancel_backend(%s)", pid)
    db.run(f"alter table pgmq.q_{name}_away rename to q_{name}")
    db.run(f"update pgmq.q_{name} set vt = now()")
    db.alter(name, sql="select")
    assert connection.execute("select 1").fetchone() == (1,)
    db.drain(name)
    db.wait_for(f"select not exists (select from pgmq.q_{name} where vt <= now())")
    assert db.rows("select last_sqlstate from orchestra.delivery where workload = %s", name) in (
        [],
        [("57P01",)],
    )
    connection.close()


def test_finished_messages_are_kept_only_where_the_spec_says_so(db: RuntimeDb) -> None:
    kept, gone = db.queue(retention_completed_ms=1000), db.queue()
    for name in (kept, gone):
        db.send(name, '{"a": 1}')
        db.drain(name)
        assert db.depth(name) == 0
    assert db.rows(f"select message from pgmq.a_{kept}") == [({"a": 1},)]
    assert db.rows(f"select message from pgmq.a_{gone}") == []


def test_a_handler_runs_as_its_role_on_its_search_path_and_is_settled_as_the_owner(db: RuntimeDb) -> None:
    db.run("create schema if not exists app")
    db.run("grant usage, create on schema app to authenticated")
    db.run("create table if not exists app.seen (who text, path text, msg bigint)")
    db.run("truncate app.seen")
    db.run("grant insert on app.seen to authenticated")
    name = db.queue(
        "insert into seen values (current_user, current_setting('search_path'), $3)",
        run_role="authenticated",
        search_path=["app", "Odd Name"],
    )
    db.send_many(name, 2)
    db.drain(name)
    assert db.rows("select who, path from app.seen") == [("authenticated", 'app, "Odd Name"')] * 2
    assert db.depth(name) == 0
    plain = db.queue("insert into app.seen values (current_user, current_setting('search_path'), $3)")
    db.send(plain)
    db.drain(plain)
    assert db.rows("select who, path from app.seen where msg = 1 and who <> 'authenticated'") == [
        ("postgres_like", "")
    ]
    refused = db.queue("insert into pgmq.meta select", run_role="anon", max_attempts=1)
    db.send(refused)
    db.drain(refused)
    assert db.dead(refused)[0][4] == "42501"


def test_a_role_that_cannot_be_taken_is_the_messages_error(db: RuntimeDb) -> None:
    name = db.queue(run_role="postgres", max_attempts=1)
    db.send(name)
    db.drain(name)
    assert db.dead(name)[0][4] in ("42501", "22023")


def test_a_null_payload_of_a_plain_pgmq_send_is_handled(db: RuntimeDb, effects: str) -> None:
    name = db.queue(effects)
    db.run("select pgmq.send(%s, null::jsonb)", name)
    db.drain(name)
    assert db.rows("select payload from public.effect") == [(None,)]


def test_one_bad_message_never_fails_its_neighbours(db: RuntimeDb, effects: str) -> None:
    name = db.queue(working(effects, "0", "$1::int % 7 = 0"), max_attempts=2)
    db.send_many(name, 70)
    db.drain(name)
    db.drain(name)
    assert db.one("select count(*) from public.effect") == 60
    assert len(db.dead(name)) == 10


def test_a_call_ends_before_the_statement_timeout_cuts_an_item_off(db: RuntimeDb) -> None:
    name = db.queue("select pg_sleep(0.1)", timeout_ms=200)
    db.send_many(name, 30)
    with db.connect() as connection:
        connection.execute(
            "set statement_timeout = '6200ms'"
        )  # less 5 s of margin and the item's own time: 1 s
        connection.execute("call orchestra.drain_sql(%s, %s, 1)", (PROJECT, name))
    assert 0 < db.depth(name) < 30
    assert db.dead(name) == []
    assert db.one(f"select max(read_ct) from pgmq.q_{name}") == 0


def test_redrive_sends_dead_letters_back_with_fresh_attempts(db: RuntimeDb, effects: str) -> None:
    name = db.queue("select 1 / 0", max_attempts=1)
    db.send_many(name, 5)
    db.drain(name)
    ids = [
        row[0]
        for row in db.rows("select id from orchestra.dead_letter where workload = %s order by id", name)
    ]
    db.alter(name, sql=effects)
    assert db.one("select orchestra.redrive(%s, %s)", f"{PROJECT}/{name}", ids[:2]) == 2
    assert db.one("select orchestra.redrive(%s, at_most => 2)", name) == 2
    db.drain(name)
    assert db.rows("select attempt, payload from public.effect order by payload") == [
        (1, i) for i in (1, 2, 3, 4)
    ]
    assert (
        db.one("select count(*) from orchestra.dead_letter where workload = %s and redriven_at is null", name)
        == 1
    )
    assert db.one("select orchestra.redrive(%s)", name) == 1
    assert db.one("select orchestra.redrive(%s)", name) == 0
    assert (
        db.one("select count(*) from orchestra.operator_log where verb = 'redrive' and workload = %s", name)
        == 4
    )


def test_messages_of_an_adopted_queue_keep_all_their_attempts(db: RuntimeDb, effects: str) -> None:
    name = db.queue(effects, max_attempts=2)
    db.send_many(name, 3)
    db.run(f"update pgmq.q_{name} set read_ct = 7 where msg_id < 3")
    assert db.one("select orchestra.refund_hand_outs(%s, %s, %s)", PROJECT, name, name) == 2
    db.drain(name)
    assert db.rows("select attempt from public.effect") == [(1,)] * 3
    assert db.dead(name) == []


def reads_of(db: RuntimeDb, queue: str) -> tuple[int, int]:
    """How often the whole queue has been read, and how many entries of its index on vt."""
    return db.rows(
        "select t.seq_scan, i.idx_tup_read from pg_stat_user_tables t "
        "join pg_stat_user_indexes i on i.relid = t.relid "
        "where t.relid = %s::regclass and i.indexrelid = %s::regclass",
        f"pgmq.q_{queue}",
        f"pgmq.q_{queue}_vt_idx",
    )[0]


@pytest.mark.engines("pg17")
def test_a_claim_walks_the_index_on_vt(db: RuntimeDb) -> None:
    """Trap 8: 200,000 messages of one send, statistics that say the table is empty."""
    name = db.queue()
    db.run(f"alter table pgmq.q_{name} set (autovacuum_enabled = false)")
    db.send_many(name, 200_000)
    with db.connect() as connection:
        for setting in ("enable_seqscan", "enable_sort", "enable_bitmapscan"):
            connection.execute(f"set {setting} = off")
        plan = "\n".join(
            r[0]
            for r in connection.execute(
                f"explain select m.msg_id from pgmq.q_{name} m where m.vt <= now() order by m.vt limit 1 "
                "for update skip locked"
            )
        )
    assert f"q_{name}_vt_idx" in plan
    assert "Sort" not in plan
    with db.connect() as connection:
        token = connection.execute("select orchestra.slot_enter(%s, %s, 1)", (PROJECT, name)).fetchone()[0]  # type: ignore[index]
        before = reads_of(db, name)
        for _ in range(20):
            connection.execute("select * from orchestra.claim_one(%s, %s, 1, %s)", (PROJECT, name, token))
        connection.execute("select pg_stat_force_next_flush()")
        connection.execute("select 1")
    scans, rows = (after - b for after, b in zip(reads_of(db, name), before, strict=True))
    assert scans == 0
    assert 20 <= rows < 2000
