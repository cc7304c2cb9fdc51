"""A queue that somebody made by hand is taken over only when one says so, and without losing a message."""

from __future__ import annotations

from engines import Engine
from engines.waiting import eventually

from acceptance.cases import BY_NAME
from acceptance.cli import orchestra
from acceptance.live import apply
from orchestra.pipeline import PlanOptions

LEGACY = BY_NAME["legacy"]
ADOPT = PlanOptions(adopt=frozenset(LEGACY.adopt))


def drain(engine: Engine) -> None:
    """One run of the worker; another may be at it already, by cron."""
    engine.execute("call orchestra.drain_sql('legacy', 'send-email', 1)")
    eventually(lambda: engine.execute("select count(*) = 0 from pgmq.q_emails") == [(True,)], within=20)


def test_a_queue_made_by_hand_is_named_and_blocks_the_apply(engine: Engine) -> None:
    LEGACY.prepare(engine)
    done = orchestra("apply", LEGACY.spec_file, "--auto-approve", db=engine.dsn)
    assert done.code == 5
    assert "emails exists and was not made by orchestra" in done.text
    assert "--adopt queue.send-email" in done.text
    assert engine.execute("select to_regnamespace('orchestra') is null") == [(True,)]


def test_adopting_leaves_messages_and_other_peoples_jobs_as_they_are(engine: Engine) -> None:
    """Messages of an hour from now, so that neither consumer is at them when the minute turns meanwhile."""
    LEGACY.prepare(engine)
    messages = "select msg_id, read_ct, enqueued_at, vt, message from pgmq.q_emails order by 1"
    engine.execute("update pgmq.q_emails set vt = now() + interval '1 hour'")
    before = engine.execute(messages)
    apply(engine, LEGACY.spec, ADOPT)
    assert len(before) == 25
    assert engine.execute(messages) == before
    jobs = {row[0] for row in engine.execute("select jobname from cron.job")}
    assert {"consume-emails", "purge-log"} <= jobs


def test_adopted_messages_begin_with_all_their_attempts(engine: Engine) -> None:
    """The consumer of old has handed out the first three time and again, and never finished them."""
    LEGACY.prepare(engine)
    for _ in range(7):
        engine.execute("select pgmq.read('emails', 0, 3)")
    apply(engine, LEGACY.spec, ADOPT)
    drain(engine)
    assert engine.execute("select count(*) from orchestra.dead_letter") == [(0,)]
    assert engine.execute("select count(*) from app.email") == [(25,)]


def test_adopted_messages_are_worked_off(engine: Engine) -> None:
    LEGACY.prepare(engine)
    apply(engine, LEGACY.spec, ADOPT)
    drain(engine)
    assert engine.execute("select count(*) from app.email") == [(25,)]
    assert engine.execute("select count(*) from pgmq.q_emails") == [(0,)]


def _lost(engine: Engine) -> bool:
    """A job that runs at this moment may be in the way of the drop."""
    engine.psql("set client_min_messages = error; drop schema if exists orchestra cascade", check=False)
    return engine.execute("select to_regnamespace('orchestra') is null") == [(True,)]


def test_what_an_earlier_orchestra_left_behind_can_be_adopted_again(engine: Engine) -> None:
    """The schema was dropped, or the database restored without it: queues, jobs and triggers are still there."""
    case = BY_NAME["minutes-only"]
    case.prepare(engine)
    apply(engine, case.spec)
    eventually(lambda: _lost(engine), what="dropping the schema beside running jobs")
    addresses = {str(r.address) for r in case.program if r.kind in ("queue", "cron_job", "table_trigger")}
    adopted = apply(engine, case.spec, PlanOptions(adopt=frozenset(addresses)))
    assert {"queue.check-link", "cron_job.count-visits"} <= {
        str(c.address) for c in adopted.changes if c.action.value == "adopt"
    }
