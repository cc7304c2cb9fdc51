"""A plan of many batches: those of new queues run on two connections, all of them under one lock."""

from __future__ import annotations

import signal
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from engines.waiting import eventually

from apply.mortal import mortal
from apply.shop import QUEUE, Shop, assert_empty, said, spec_of
from orchestra import pipeline
from orchestra.apply import batch, lock, run
from orchestra.errors import ApplyError, LockedError, StalePlanError
from orchestra.live.connect import Database
from orchestra.pipeline import PlanOptions
from orchestra.plan import batches
from orchestra.plan.model import Plan

MANY = "workloads:\n" + "".join(QUEUE.partition("\n")[2].replace("import", f"w{n}") for n in range(6))

ADVISORY = "select count(*) from pg_locks where locktype = 'advisory'"


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the lock table had room for next to nothing: a batch for each queue."""
    monkeypatch.setattr(batches, "SHARE", 0.0)
    monkeypatch.setattr(batches, "BASE", -10)


def test_new_queues_are_made_on_two_connections_and_all_else_on_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: dict[str, set[int]] = defaultdict(set)
    both = threading.Barrier(2, timeout=20)
    original = batch.Batch.execute

    def execute(self: batch.Batch, database: Database, enter: batch.Enter) -> int:
        kind = batches.independent(self.changes)
        used[kind].add(database.backend_pid)
        if kind == "queue":
            both.wait()  # passes only where two of them are on their way
        return original(self, database, enter)

    monkeypatch.setattr(batch.Batch, "execute", execute)
    plan = shop.plan(MANY)
    applied = shop.apply_plan(plan)
    assert applied.batches == len(applied.deployment_ids) == len(plan.batches)
    assert len(used["queue"]) == 2
    assert len(used[""]) == 1
    assert_empty(shop.plan(MANY))


@pytest.mark.parametrize("which", ["first", "second"])
def test_killed_on_either_connection_what_is_committed_stays_and_the_next_plan_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    shop.apply(QUEUE, project="first")
    whole = said(shop.plan(MANY))
    outcomes = set()
    # Who of the two makes how many of the batches is up to chance; on until it is late enough to survive.
    for dies_at in range(11, 1_000, 11):
        crew = {
            name: mortal(shop.engine, dies_at=dies_at if name == which else 0) for name in ("first", "second")
        }
        with monkeypatch.context() as patch:
            patch.setattr(run, "connect", lambda _, crew=crew: crew["second"])
            fault = _fault(crew["first"], shop.plan(MANY))
        assert bool(fault) == bool(crew[which].killed_at)
        assert not fault or "connection was lost" in fault
        for database in crew.values():
            database.close()
        left = said(shop.plan(MANY))
        assert set(left) <= set(whole)
        outcomes.add(len(left))
        eventually(lambda: shop.one(ADVISORY) == 0, what="the end of its locks")
        shop.apply(MANY)
        assert_empty(shop.plan(MANY))
        shop.destroy()
        if not fault:
            break
    assert 0 in outcomes
    assert len(outcomes) > 1


def _fault(database: Database, plan: Plan) -> str:
    try:
        pipeline.apply(database, plan)
    except ApplyError as error:
        return error.message
    return ""


def test_one_that_fails_ends_the_apply_and_the_others_stay(shop: Shop) -> None:
    shop.apply(QUEUE, project="first")
    plan = shop.plan(MANY)
    shop.run("select pgmq.create('w3')")
    with pytest.raises(StalePlanError, match=r"queue\.w3 has changed") as caught:
        shop.apply_plan(plan)
    assert "applied and stay" in caught.value.remedy
    shop.run("select pgmq.drop_queue('w3')")
    assert len(shop.plan(MANY).changes) < len(plan.changes)
    shop.apply_plan(shop.plan(MANY))
    assert_empty(shop.plan(MANY))


def test_nobody_else_gets_in_between_two_batches(shop: Shop) -> None:
    shop.apply(QUEUE, project="first")
    other = pipeline.plan(shop.another(), spec_of(QUEUE.replace("import", "export"), "other"), PlanOptions())
    refused = 0

    def meanwhile(*_: object) -> None:
        nonlocal refused
        with pytest.raises(LockedError, match="another apply holds the lock"):
            pipeline.apply(shop.another(), other)
        refused += 1

    plan = shop.plan(MANY)
    pipeline.apply(shop.another(), plan, on_progress=meanwhile)
    assert refused == len(plan.batches)
    pipeline.apply(shop.another(), other)


def test_triggers_on_one_table_are_never_made_side_by_side(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making one locks its table until commit, so two batches could wait for each other's tables."""
    shop.run("create table app.a (id int primary key); create table app.b (id int primary key)")
    used: set[int] = set()
    original = batch.Batch.execute

    def execute(self: batch.Batch, database: Database, enter: batch.Enter) -> int:
        if any(c.address.kind == "table_trigger" for c in self.changes):
            used.add(database.backend_pid)
        return original(self, database, enter)

    monkeypatch.setattr(batch.Batch, "execute", execute)
    one = QUEUE.partition("\n")[2]
    text = "workloads:\n" + "".join(
        one.replace("import", f"w{n}").replace(
            "manual", f"{{table: {{name: app.{'ab'[n % 2]}, on: [insert]}}}}"
        )
        for n in range(6)
    )
    plan = shop.plan(text)
    shop.apply_plan(plan)
    assert len(used) == 1
    assert_empty(shop.plan(text))


def test_an_apply_goes_on_with_the_connections_it_is_granted(hosted: Shop) -> None:
    hosted.engine.execute("alter role postgres_like connection limit 2")
    plan = hosted.plan(MANY)
    assert hosted.apply_plan(plan).batches > 6
    assert_empty(hosted.plan(MANY))


def test_a_role_that_ends_long_transactions_ends_no_apply(shop: Shop) -> None:
    if shop.one("select count(*) from pg_settings where name = 'transaction_timeout'") == 0:
        return  # PostgreSQL 16 and older have none
    shop.run("create role hasty superuser login; alter role hasty set transaction_timeout = '300ms'")
    database = shop.another(shop.engine.url(user="hasty"))
    plan = pipeline.plan(database, spec_of(MANY), PlanOptions())
    assert pipeline.apply(database, plan, on_progress=lambda *_: time.sleep(0.05)).batches > 6


def test_who_is_ended_while_it_waits_for_the_lock_is_told_so(shop: Shop) -> None:
    plan = shop.plan(MANY)
    with shop.engine.connect() as other, ThreadPoolExecutor(1) as pool:
        other.execute(f"select pg_advisory_xact_lock({lock.KEY})")
        waiting = pool.submit(pipeline.apply, shop.another(), plan, lock_timeout_s=30)
        idle = "from pg_stat_activity where state = 'idle in transaction' and application_name = 'orchestra'"
        eventually(lambda: shop.one(f"select count(*) {idle}") == 1, what="the wait for the lock")
        shop.run(f"select pg_terminate_backend(pid) {idle}")
        with pytest.raises(ApplyError, match="the connection was lost before the commit"):
            waiting.result()
        other.rollback()


def test_who_lost_the_lock_begins_no_further_batch(shop: Shop) -> None:
    shop.apply(QUEUE, project="first")
    before = len(shop.plan(MANY).changes)

    def lose(*_: object) -> None:
        shop.run(
            "select pg_terminate_backend(pid, 5000) from pg_locks "
            f"where locktype = 'advisory' and mode = 'ExclusiveLock' and objid::bigint = {lock.KEY & 0xFFFFFFFF}"
        )

    with pytest.raises(ApplyError, match="held the lock of this apply is gone") as caught:
        pipeline.apply(shop.another(), shop.plan(MANY), on_progress=lose)
    assert "run the same apply again" in caught.value.remedy
    assert 0 < len(shop.plan(MANY).changes) < before
    shop.apply_plan(shop.plan(MANY))
    assert_empty(shop.plan(MANY))


def test_who_begins_waits_for_the_last_batch_of_one_that_lost_its_lock(shop: Shop) -> None:
    plan = shop.plan(QUEUE)
    with shop.engine.connect() as orphan:
        orphan.execute(f"select pg_advisory_xact_lock_shared({lock.BATCH_KEY})")
        for found in (plan, shop.plan(MANY)):
            with pytest.raises(LockedError):
                shop.apply_plan(found)
        orphan.rollback()
    shop.apply_plan(plan)


def test_ctrl_c_ends_what_is_running_and_says_how_much_stays(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.apply(QUEUE, project="first")
    held_up = shop.engine.connect()
    original = Database.each

    def each(self: Database, statements: Sequence[str]) -> None:
        if any("pgmq.create('w4')" in s for s in statements):
            held_up.execute("lock table pgmq.meta in share mode")
            threading.Timer(0.3, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT]).start()
        original(self, statements)

    plan = shop.plan(MANY)
    monkeypatch.setattr(Database, "each", each)
    with pytest.raises(run.Stopped) as caught:
        shop.apply_plan(plan)
    monkeypatch.setattr(Database, "each", original)
    held_up.rollback()
    made = [name for (name,) in shop.run("select queue_name from pgmq.meta where queue_name like 'w%'")]
    assert "w4" not in made
    assert caught.value.committed >= len(made) > 0
    ours = "select count(*) from pg_stat_activity where application_name = 'orchestra' and state <> 'idle'"
    eventually(lambda: shop.one(ours) == 0, what="the end of what was running")
    shop.apply_plan(shop.plan(MANY))
    assert_empty(shop.plan(MANY))
