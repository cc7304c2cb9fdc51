"""Messages before runs before keys: who reports and who claims at the same moment do not wait in a circle."""

from __future__ import annotations

from functools import partial

import pytest

from runtime.runtime_db import RuntimeDb, Turn

ENGINES = ("embedded", "pg17", "pg15")


@pytest.mark.parametrize("retention_ms", [None, 3_600_000])
def test_failures_are_reported_beside_a_claim_that_waits_for_the_same_key(
    db: RuntimeDb, retention_ms: int | None
) -> None:
    told = db.edge(debounce_ms=60_000)
    name = db.edge(on_failure=told, max_attempts=2, per_worker=5, retention_completed_ms=retention_ms)
    dying, late, done = (db.send(name) for _ in range(3))
    exhausted = db.send(name, delay="1 hour")
    reporter, claimer = db.worker(name), db.worker(name)
    assert set(reporter.turn(3).ids) == {dying, late, done}
    # The lease of one that is about to be reported is over, and one that nobody reported has had its attempts.
    db.run(f"update pgmq.q_{name} set vt = now() - interval '1 second' where msg_id = %s", late)
    db.run(
        f"update pgmq.q_{name} set vt = now() - interval '1 minute', read_ct = 2 where msg_id = %s", exhausted
    )
    fails = [{"id": str(dying), "error": "no", "code": "ORC01"}, {"id": str(late), "error": "no"}]
    turns: list[Turn] = []
    with db.connect(autocommit=False) as holder, db.connect() as one, db.connect() as other:
        holder.execute("select orchestra.send(%s, '{}')", (told,))
        report = partial(reporter.turn, ack=[done], fails=fails, connection=one)
        with db.background(lambda: turns.append(report())) as errors:
            db.wait_until_blocked(one)
            with db.background(lambda: turns.append(claimer.turn(10, connection=other))) as more:
                db.wait_until_blocked(other)
                holder.commit()
    assert errors + more == []
    assert [(t.given, t.late) for t in turns] == [([], [])] * 2
    assert [(letter[0], letter[2]) for letter in db.dead(name)] == [
        (dying, "permanent"),
        (exhausted, "exhausted"),
    ]
    # One after the other, whoever came first, under one key.
    assert db.one(f"select (message ->> 'message_id')::bigint from pgmq.q_{told}") in (dying, exhausted)
