"""A queue for dead letters, from the spec to the message that lies in it."""

from __future__ import annotations

from engines.waiting import eventually

from apply.shop import Shop, assert_empty, said

WITH_LETTERS = """\
workloads:
  import:
    trigger: manual
    duration: {max: 5s}
    poll_interval: 1m
    retry: {max_attempts: 2, backoff: {initial: 10ms, max: 10ms, jitter: none}}
    dead_letter_queue: import_failed
    run: {sql: "insert into app.receipts (n) values (100 / (:payload ->> 'n')::int)"}
"""


def drain(shop: Shop) -> bool:
    """What the worker's job does each minute; whether nothing is left."""
    shop.run("call orchestra.drain_sql('shop', 'import', 1)")
    return shop.one("select count(*) = 0 from pgmq.q_import") is True


def test_what_failed_for_good_lies_in_the_queue_that_the_spec_names(hosted: Shop) -> None:
    made = hosted.apply(WITH_LETTERS)
    assert "create queue.import.dead-letters" in said(made)
    assert_empty(hosted.plan(WITH_LETTERS))
    numbers = hosted.run(
        "select orchestra.send('shop/import', jsonb_build_object('n', n)) from unnest(array[1, 0, 2]) n"
    )
    eventually(lambda: drain(hosted), within=30, what="the work")

    assert hosted.run("select n from app.receipts order by n") == [(50,), (100,)]
    [(told,)] = hosted.run("select message from pgmq.q_import_failed")
    [(letter, dead_at)] = hosted.run("select id, orchestra.iso(dead_at) from orchestra.dead_letter")
    assert told == {
        "project": "shop",
        "workload": "import",
        "dead_letter": letter,
        "message_id": numbers[1][0],
        "payload": {"n": 0},
        "attempts": 2,
        "reason": "exhausted",
        "error": "division by zero",
        "dead_at": dead_at,
    }
    # It is a queue like any other, for whoever wants to read it.
    assert hosted.run("select message from pgmq.read('import_failed', 30, 10)") == [(told,)]


def test_what_lies_in_it_is_not_lost_by_a_word_less_in_the_spec(hosted: Shop) -> None:
    hosted.apply(WITH_LETTERS)
    hosted.run("""select orchestra.send('shop/import', '{"n": 0}')""")
    eventually(lambda: drain(hosted), within=30, what="the work")
    silent = WITH_LETTERS.replace("    dead_letter_queue: import_failed\n", "")
    refused = hosted.plan(silent)
    assert "delete queue.import.dead-letters" in said(refused)
    assert refused.blockers
    assert hosted.one("select count(*) from pgmq.q_import_failed") == 1
