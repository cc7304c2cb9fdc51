"""Messages before runs before keys: who reports and who claims at the same moment do not wait in a circle."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from runtime.runtime_db import RuntimeDb, Turn

ENGINES = ("embedded", "pg17", "pg15")

WAITS = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and pid = %s)"


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
    turns: dict[str, Turn | psycopg.Error] = {}

    def turn(who: str, connection: psycopg.Connection[Any], **report: Any) -> None:
        worker = {"reporter": reporter, "claimer": claimer}[who]
        try:
            turns[who] = worker.turn(**report, connection=connection)
        except psycopg.Error as error:
            turns[who] = error

    fails = [{"id": str(dying), "error": "no", "code": "ORC01"}, {"id": str(late), "error": "no"}]
    with db.connect(autocommit=False) as holder, db.connect() as one, db.connect() as other:
        holder.execute("select orchestra.send(%s, '{}')", (told,))
        with db.background(lambda: turn("reporter", one, ack=[done], fails=fails)):
            db.wait_for(WAITS, one.info.backend_pid)
            with db.background(lambda: turn("claimer", other, want=10)):
                db.wait_for(WAITS, other.info.backend_pid)
                holder.commit()
    for who in ("reporter", "claimer"):
        answer = turns[who]
        assert isinstance(answer, Turn), f"{who}: {answer}"
        assert (answer.given, answer.late) == ([], [])
    assert [(letter[0], letter[2]) for letter in db.dead(name)] == [
        (dying, "permanent"),
        (exhausted, "exhausted"),
    ]
    # One after the other, whoever came first, under one key.
    assert db.one(f"select (message ->> 'message_id')::bigint from pgmq.q_{told}") in (dying, exhausted)
