"""The turn of a worker in an Edge Function: it settles, renews and claims in one call, and may be repeated."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")


def read_ct(db: RuntimeDb, name: str, msg_id: int) -> int:
    return int(db.one(f"select read_ct from pgmq.q_{name} where msg_id = %s", msg_id))


def come_first(db: RuntimeDb, name: str, message: int) -> None:
    """As if it had been visible for longer than all others."""
    db.run(f"update pgmq.q_{name} set vt = now() - interval '1 hour' where msg_id = %s", message)


def test_a_worker_claims_acknowledges_and_claims_the_next_in_one_call(db: RuntimeDb) -> None:
    name = db.edge()
    db.send_many(name, 15)
    worker = db.worker(name)
    assert worker.verdict == "go"
    assert worker.config["handlers"] == 10
    first = worker.turn(10)
    assert (first.verdict, len(first.given), first.late) == ("go", 10, [])
    assert {(m[1], m[2]) for m in first.given} == {(1, 1)}
    second = worker.turn(10, ack=first.ids)
    assert len(second.given) == 5
    assert worker.turn(10, ack=second.ids).given == []
    assert db.depth(name) == 0


def test_a_turn_whose_reply_was_lost_answers_the_same_claim_and_spends_nothing(db: RuntimeDb) -> None:
    name = db.edge()
    db.send_many(name, 20)
    worker = db.worker(name)
    first = worker.turn(10)
    second = worker.turn(5, ack=first.ids[:5])
    again = worker.turn(5, ack=first.ids[:5], seq=2)
    assert sorted(again.given) == sorted(second.given)
    assert db.depth(name) == 15
    assert {read_ct(db, name, i) for i in second.ids} == {1}
    assert worker.turn(0, ack=[*first.ids[5:], *second.ids]).verdict == "go"
    assert db.depth(name) == 5


def test_a_repeated_turn_leaves_out_what_somebody_else_has_by_now(db: RuntimeDb) -> None:
    name = db.edge(per_worker=5)
    db.send_many(name, 3)
    worker, other = db.worker(name), db.worker(name)
    ids = worker.turn(3).ids
    db.run(f"update pgmq.q_{name} set vt = now() - interval '1 second' where msg_id = %s", ids[0])
    assert other.turn(3).ids == ids[:1]
    assert worker.turn(3, seq=worker.seq).ids == ids[1:]


def test_a_turn_out_of_order_is_refused(db: RuntimeDb) -> None:
    worker = db.worker(db.edge())
    worker.turn(1)
    with pytest.raises(psycopg.DatabaseError, match="turn 5 does not follow turn 1"):
        worker.turn(1, seq=5)


def test_attempts_are_counted_before_a_message_is_handed_out(db: RuntimeDb) -> None:
    name = db.edge(max_attempts=2)
    message = db.send(name)
    for attempt in (1, 2):
        worker = db.worker(name)
        turn = worker.turn(10)
        assert [(m[0], m[2]) for m in turn.given] == [(message, attempt)]
        # It dies without a word; its leases run out.
        db.release_leases(name)
    assert db.worker(name).turn(10).given == []
    [(dead, attempts, reason, error, _)] = db.dead(name)
    assert (dead, attempts, reason) == (message, 2, "exhausted")
    assert "without a verdict" in error


@pytest.mark.parametrize("kept_ms", [None, 60_000])
def test_who_lost_the_lease_can_neither_acknowledge_nor_fail_nor_extend(
    db: RuntimeDb, kept_ms: int | None
) -> None:
    name = db.edge(concurrency=20, retention_completed_ms=kept_ms)
    messages = [db.send(name) for _ in range(3)]
    old = db.worker(name)
    assert sorted(old.turn(10).ids) == messages
    db.make_visible(name)
    new = db.worker(name)
    assert new.slot != old.slot
    held = [new.turn(1).ids[0]]
    assert old.extend(held) == held
    late = old.turn(0, ack=held)
    assert late.late == held
    assert old.turn(0, fails=[{"id": str(held[0]), "ct": 1, "error": "no"}]).late == held
    assert old.turn(0, back=held).late == held
    assert db.one(f"select count(*) from pgmq.a_{name}") == 0
    assert new.turn(0, ack=held).late == []
    assert db.depth(name) == 2
    assert db.one(f"select count(*) from pgmq.a_{name}") == (0 if kept_ms is None else 1)


def test_a_worker_whose_slot_was_taken_is_told_and_gets_no_more(db: RuntimeDb) -> None:
    name = db.edge()
    db.send_many(name, 3)
    old = db.worker(name)
    ids = old.turn(2).ids
    db.release_slots(name)
    new = db.worker(name)
    assert new.slot == old.slot
    turn = old.turn(5, ack=ids[:1])
    # What nobody else has had since is settled all the same.
    assert (turn.verdict, turn.given, turn.late) == ("lost", [], [])
    assert old.extend(ids[1:]) == ids[1:]
    assert db.depth(name) == 2


def test_a_suspect_goes_out_alone_and_its_mates_survive_it(db: RuntimeDb) -> None:
    """One poison message among 30 kills each worker that it meets; only it dies."""
    name = db.edge(max_attempts=4, batch_size=30)
    poison = db.send(name, '"poison"')
    db.send_many(name, 30)
    deaths: list[tuple[int, bool]] = []
    for _ in range(300):
        worker = db.worker(name)
        while True:
            turn = worker.turn(30)
            if poison in turn.ids:
                break  # killed with all that it holds
            if not turn.given:
                break
            worker.turn(0, ack=turn.ids)
        if not worker.held:
            break
        deaths.append((len(worker.held), turn.alone))
        db.release_leases(name)
    assert deaths == [(30, False), (1, True), (1, True), (1, True)]
    assert [d[0] for d in db.dead(name)] == [poison]
    assert db.dead(name)[0][1] == 4
    assert db.depth(name) == 0


def test_nothing_keeps_a_suspect_company(db: RuntimeDb) -> None:
    name = db.edge()
    db.send_many(name, 3)
    [suspect] = db.worker(name).turn(1).ids
    db.release_leases(name)
    come_first(db, name, suspect)
    worker = db.worker(name)
    first = worker.turn(10)
    assert (first.ids, first.alone) == ([suspect], True)
    assert worker.turn(10).given == []  # not while it runs
    assert len(worker.turn(10, ack=first.ids).given) == 2


def test_a_reported_failure_makes_no_suspect(db: RuntimeDb) -> None:
    name = db.edge(backoff_initial_ms=0)
    db.send_many(name, 5)
    worker = db.worker(name)
    ids = worker.turn(10).ids
    worker.turn(0, fails=[{"id": str(i), "error": "no", "code": None} for i in ids])
    turn = worker.turn(10)
    assert sorted(turn.ids) == sorted(ids)
    assert not turn.alone
    assert {m[2] for m in turn.given} == {2}


def test_one_attempt_means_one_message_at_a_time(db: RuntimeDb) -> None:
    name = db.edge(max_attempts=1, per_worker=1)
    db.send_many(name, 3)
    worker = db.worker(name)
    first = worker.turn(10)
    assert len(first.given) == 1
    assert worker.turn(10).given == []
    assert len(worker.turn(10, ack=first.ids).given) == 1


def test_failures_end_as_they_are_reported(db: RuntimeDb) -> None:
    name = db.edge(backoff_initial_ms=60_000, backoff_max_ms=60_000)
    ids = [db.send(name, f'"{i}"') for i in range(4)]
    worker = db.worker(name)
    worker.turn(10)
    worker.turn(
        0,
        fails=[
            {"id": str(ids[0]), "error": "broken", "code": None},
            {"id": str(ids[1]), "error": "hopeless", "code": "ORC01"},
            {"id": str(ids[2]), "error": "later", "snooze_ms": 3_600_000},
            {"id": str(ids[3]), "error": "too slow", "code": "timeout"},
        ],
    )
    assert [(d[0], d[2], d[3]) for d in db.dead(name)] == [(ids[1], "permanent", "hopeless")]
    rows = db.rows(
        f"""select m.msg_id, d.free, d.last_error, d.last_sqlstate,
                   m.vt > now() + interval '50 minutes', m.vt > now() + interval '50 seconds'
            from pgmq.q_{name} m join orchestra.delivery d on d.msg_id = m.msg_id and d.workload = %s
            order by 1""",
        name,
    )
    assert rows == [
        (ids[0], 0, "broken", None, False, True),
        (ids[2], 1, None, None, True, True),
        (ids[3], 0, "too slow", "57014", False, True),
    ]


def test_what_is_handed_back_costs_no_attempt_and_is_no_suspect(db: RuntimeDb) -> None:
    name = db.edge(max_attempts=2)
    db.send_many(name, 4)
    for _ in range(5):
        worker = db.worker(name)
        turn = worker.turn(10)
        assert {m[2] for m in turn.given} == {1}
        assert len(turn.given) == 4
        worker.leave(turn.ids)
    worker = db.worker(name)
    turn = worker.turn(10)
    assert worker.turn(0, back=turn.ids[:2], ack=turn.ids[2:]).late == []
    assert sorted(worker.turn(10).ids) == sorted(turn.ids[:2])
    # Somebody who holds an older hand-out still changes nothing.
    worker.held[turn.ids[0]] = 1
    assert worker.turn(0, ack=turn.ids[:1]).late == turn.ids[:1]


def test_a_suspect_that_is_handed_back_unstarted_stays_suspect(db: RuntimeDb) -> None:
    name = db.edge()
    db.send_many(name, 5)
    [died] = db.worker(name).turn(1).ids
    for _ in range(3):
        db.release_leases(name)
        come_first(db, name, died)
        worker = db.worker(name)
        turn = worker.turn(10)
        assert (turn.ids, turn.alone, turn.given[0][2]) == ([died], True, 2)
        worker.leave([died])
    come_first(db, name, died)
    worker = db.worker(name)
    worker.turn(0, fails=[{"id": str(worker.turn(10).ids[0]), "error": "no", "code": None}])
    come_first(db, name, died)
    after = worker.turn(10)
    assert (len(after.ids), after.alone) == (5, False)


def test_leaving_keeps_the_slot_while_something_is_still_held(db: RuntimeDb) -> None:
    name = db.edge()
    db.send_many(name, 3)
    worker = db.worker(name)
    ids = worker.turn(3).ids
    worker.leave(ids[1:])
    assert db.worker(name).verdict == "full"
    worker.leave(ids[:1])
    assert db.worker(name).verdict == "go"


def test_leaving_beside_a_turn_keeps_what_that_turn_was_handed(db: RuntimeDb) -> None:
    """Its isolate is told to stop while the turn's answer is still on its way."""
    name = db.edge()
    worker = db.worker(name)
    sent = db.send(name)
    with db.connect(autocommit=False) as slow, db.connect() as other:
        worker.turn(1, connection=slow)
        with db.background(lambda: worker.leave(connection=other)) as errors:
            db.wait_until_blocked(other)
            slow.commit()
        assert errors == []
    assert db.slot(name)[2:] == ([sent], [1])
    assert db.worker(name).verdict == "full"


def test_extending_renews_messages_and_slot(db: RuntimeDb) -> None:
    name = db.edge(visibility_timeout_ms=60_000)
    db.send_many(name, 2)
    worker = db.worker(name)
    worker.turn(2)
    db.run(f"update pgmq.q_{name} set vt = now() + interval '1 second'")
    db.run("update orchestra.slot set lease_until = now() + interval '1 second' where workload = %s", name)
    assert worker.extend() == []
    assert db.one(f"select min(vt) > now() + interval '50 seconds' from pgmq.q_{name}")
    assert db.one(
        "select lease_until > now() + interval '50 seconds' from orchestra.slot where workload = %s", name
    )


def test_a_slot_is_kept_for_at_least_as_long_as_what_was_handed_out_with_it(db: RuntimeDb) -> None:
    """Or another worker would come beside handlers that still run under their leases."""
    name = db.edge(visibility_timeout_ms=60_000)
    db.send_many(name, 4)
    worker = db.worker(name)
    first = worker.turn(2).ids
    kept = f"select s.lease_until >= (select max(m.vt) from pgmq.q_{name} m) from orchestra.slot s where workload = %s"
    for want, report in (
        (0, {}),
        (1, {"ack": first[:1]}),
        (0, {"fails": [{"id": str(first[1]), "error": "no", "snooze_ms": 0}]}),
        (5, {}),
        (0, {}),
    ):
        worker.turn(want, **report)
        assert worker.held
        assert db.one(kept, name)


def test_fifty_takers_at_once_get_exactly_the_slots_there_are(db: RuntimeDb) -> None:
    name = db.edge(concurrency=4, per_worker=1)
    for _ in range(5):
        db.run("delete from orchestra.slot where workload = %s", name)
        taken: list[Any] = []

        def take(connection: psycopg.Connection[Any], taken: list[Any] = taken) -> None:
            cursor = connection.execute(
                "select verdict, slot from orchestra.enter_v1(%s, %s, 'c1')", (PROJECT, name)
            )
            taken.append(cursor.fetchone())

        db.at_once(*[take] * 50)
        assert len(taken) == 50
        assert sorted(slot for verdict, slot in taken if verdict == "go") == [1, 2, 3, 4]
        assert {verdict for verdict, slot in taken if slot is None} == {"full"}


def test_the_limit_is_spread_over_the_slots(db: RuntimeDb) -> None:
    name = db.edge(concurrency=25, per_worker=10)
    shares = [db.worker(name).config["handlers"] for _ in range(3)]
    assert shares == [9, 8, 8]
    assert db.worker(name).verdict == "full"


def test_a_lowered_limit_sends_workers_beyond_it_away(db: RuntimeDb) -> None:
    name = db.edge(concurrency=2, per_worker=1)
    first, second = db.worker(name), db.worker(name)
    db.send_many(name, 4)
    db.alter(name, concurrency=1)
    assert [w.turn(1).verdict for w in (first, second)] == ["drain", "drain"]
    second.leave()
    assert db.worker(name).verdict == "full"
    first.leave()
    assert db.worker(name).config["handlers"] == 1


def test_a_worker_that_came_under_other_limits_keeps_its_share_until_it_leaves(db: RuntimeDb) -> None:
    name = db.edge(concurrency=10, per_worker=10, visibility_timeout_ms=60_000)
    db.send_many(name, 30)
    old = db.worker(name)
    ids = old.turn(10).ids
    db.alter(name, per_worker=1, concurrency=12, visibility_timeout_ms=7_000)
    assert (turn := old.turn(10)).verdict == "drain"
    assert turn.given == []
    # It renews as often as it was told, so its leases are as long as before.
    assert old.extend(ids) == []
    assert db.one(
        f"select min(vt) > clock_timestamp() + interval '50 s' from pgmq.q_{name} where read_ct > 0"
    )
    new = [db.worker(name) for _ in range(3)]
    assert [w.verdict for w in new] == ["go", "go", "full"]
    old.turn(0, ack=ids)
    old.leave()
    assert [db.worker(name).verdict for _ in range(11)] == ["go"] * 10 + ["full"]


def test_a_late_renewal_of_nothing_leaves_the_lease_of_what_has_been_claimed(db: RuntimeDb) -> None:
    """The turn that claimed it was under way when the renewal began."""
    name = db.edge(concurrency=1, per_worker=1, visibility_timeout_ms=60_000)
    db.send_many(name, 2)
    worker = db.worker(name)
    worker.turn(1)
    worker.extend([])
    assert db.one(
        "select lease_until > clock_timestamp() + interval '50 s' from orchestra.slot where workload = %s",
        name,
    )


@pytest.mark.parametrize("how", ["gate", "workload"])
def test_a_pause_drains_workers_and_lets_none_in(db: RuntimeDb, how: str) -> None:
    name = db.edge()
    db.send_many(name, 2)
    worker = db.worker(name)
    ids = worker.turn(1).ids
    target = {"gate": None, "workload": name}[how]
    db.run("select orchestra.pause(%s, %s)", PROJECT, target)
    try:
        turn = worker.turn(1, ack=ids)
        assert (turn.verdict, turn.given) == ("drain", [])
        assert db.depth(name) == 1
        worker.leave()
        assert db.worker(name).verdict == "paused"
    finally:
        db.run("select orchestra.resume(%s, %s)", PROJECT, target)


def test_code_of_an_older_version_works_until_the_wanted_one_has_come(db: RuntimeDb) -> None:
    """The old one works until the new one has come; then it settles; a strange one is turned away."""
    name = db.edge()
    assert db.worker(name, "strange").verdict == "foreign"
    old = db.worker(name, "c1")
    db.send_many(name, 4)
    held = old.turn(1).ids
    db.alter(name, contract="c2")
    assert old.turn(1, ack=held).verdict == "go"
    old.leave(old.held)
    old = db.worker(name, "c1")
    assert old.verdict == "go"
    held = old.turn(1).ids
    db.alter(name, concurrency=20)
    assert db.worker(name, "c2").verdict == "go"
    turn = old.turn(1, ack=held)
    assert (turn.verdict, turn.given, turn.late) == ("drain", [], [])
    assert db.worker(name, "c1").verdict == "drain"
    assert db.worker(name, "strange").verdict == "foreign"


def test_of_older_versions_the_last_one_works_until_the_wanted_one_has_come(db: RuntimeDb) -> None:
    name = db.edge()
    for version in ("c1", "c2"):
        db.alter(name, contract=version)
        db.worker(name, version).leave()
    db.alter(name, contract="c3")
    assert db.worker(name, "c1").verdict == "drain"
    last = db.worker(name, "c2")
    assert last.verdict == "go"
    last.leave()
    db.worker(name, "c3").leave()
    assert [db.worker(name, v).verdict for v in ("c1", "c2", "c3")] == ["drain", "drain", "go"]


def test_a_claim_takes_the_oldest_and_no_more_than_a_few_megabytes(db: RuntimeDb) -> None:
    name = db.edge()
    # Random text, which does not shrink: 1.5 MB each.
    send = "select orchestra.send(%s, to_jsonb(string_agg(md5(random()::text), ''))) from generate_series(1, 48000)"
    messages = [db.one(send, name) for _ in range(4)]
    assert sorted(db.worker(name).turn(10).ids) == messages[:2]
    big = db.edge()
    db.run(
        "select orchestra.send(%s, to_jsonb(string_agg(md5(random()::text), ''))) from generate_series(1, 190000)",
        big,
    )
    assert len(db.worker(big).turn(10).given) == 1


def test_a_message_of_a_plain_pgmq_send_is_served(db: RuntimeDb) -> None:
    name = db.edge()
    db.run("select pgmq.send(%s, '{\"a\": 1}'::jsonb)", name)
    assert [m[3] for m in db.worker(name).turn(1).given] == [{"a": 1}]


def test_acknowledged_messages_are_archived_where_they_are_kept(db: RuntimeDb) -> None:
    name = db.edge(retention_completed_ms=60_000)
    db.send_many(name, 3)
    worker = db.worker(name)
    ids = worker.turn(3).ids
    assert worker.turn(0, ack=ids).late == []
    assert db.one(f"select count(*) from pgmq.a_{name}") == 3


def test_a_pgmq_without_headers_works(db: RuntimeDb) -> None:
    """As pgmq 1.4.4 is."""
    name = db.edge()
    db.drop_headers(name)
    db.send_many(name, 3)
    worker = db.worker(name)
    turn = worker.turn(3)
    assert [m[4] for m in turn.given] == [None] * 3
    worker.turn(0, ack=turn.ids[:1], back=turn.ids[1:2], fails=[{"id": str(turn.ids[2]), "error": "x"}])
    assert db.depth(name) == 2


def test_an_unknown_workload_is_said_to_be_unknown(db: RuntimeDb) -> None:
    assert db.worker("nothing").verdict == "unknown"
    assert db.worker(db.queue()).verdict == "unknown"


def looked_at(db: RuntimeDb, queue: str) -> tuple[int, int]:
    """How often the whole queue has been read, and how many pages of it and of its indexes were looked at."""
    db.run("select pg_stat_force_next_flush()")
    [(scans, pages)] = db.rows(
        "select t.seq_scan, i.heap_blks_hit + i.heap_blks_read + i.idx_blks_hit + i.idx_blks_read "
        "from pg_stat_user_tables t join pg_statio_user_tables i using (relid) where relid = %s::regclass",
        f"pgmq.q_{queue}",
    )
    return scans, pages


def send_200_000(db: RuntimeDb, name: str, delay: str) -> None:
    """In one statement, to a queue of which statistics say that it holds a few messages for tomorrow."""
    db.run(f"alter table pgmq.q_{name} set (autovacuum_enabled = false)")
    send = "select orchestra.send_many(%s, array(select to_jsonb(i) from generate_series(1, %s) i), %s)"
    db.run(send, name, 1_000, "1 day")
    db.run(f"analyze pgmq.q_{name}")
    db.run(send, name, 200_000, delay)
    assert db.one("select pg_relation_size(%s) / 8192", f"pgmq.q_{name}") > 1_000


def test_a_turn_walks_the_index_on_vt(db: RuntimeDb) -> None:
    name = db.edge()
    send_200_000(db, name, "0")
    worker = db.worker(name)
    held: list[int] = []
    for _ in range(20):
        scans, pages = looked_at(db, name)
        held = worker.turn(10, ack=held).ids
        after = looked_at(db, name)
        assert len(held) == 10
        assert after[0] == scans
        assert 10 <= after[1] - pages < 400
    assert db.depth(name) == 201_000 - 190


def test_messages_that_are_not_visible_yet_cost_a_turn_nothing(db: RuntimeDb) -> None:
    name = db.edge()
    send_200_000(db, name, "1 hour")
    db.send_many(name, 15)
    worker = db.worker(name)
    held: list[int] = []
    for claimed in (10, 5, 0):
        scans, pages = looked_at(db, name)
        held = worker.turn(10, ack=held).ids
        after = looked_at(db, name)
        assert len(held) == claimed
        assert after[0] == scans
        assert 1 <= after[1] - pages < 400
    assert db.depth(name) == 201_000
