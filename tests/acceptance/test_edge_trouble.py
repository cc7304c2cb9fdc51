"""What goes wrong in practice, end to end: handlers that misbehave, requests that are no good, calls that are lost, a
server that crashes. Real PostgreSQL 17, pg_cron and Deno."""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from engines import Engine
from engines.waiting import eventually

from acceptance.cases import Case
from acceptance.schedules import run_job
from acceptance.world import SECRET_KEY, World, running

HERE = Path(__file__).parent / "trouble"
TROUBLE = Case("trouble", HERE / "orchestra.yaml", HERE / "setup.sql", HERE / "none.sql")


@pytest.fixture
def world(pg17: Engine, tmp_path: Path) -> Iterator[World]:
    with running(TROUBLE, pg17, tmp_path) as world:
        yield world


def send(world: World, do: str) -> int:
    return int(world.one("select orchestra.send('work', jsonb_build_object('do', %s::text))", do))


def send_work(world: World, count: int) -> None:
    """So many messages whose handler does nothing bad."""
    world.engine.execute(
        "select orchestra.send_many('work', array(select '{\"do\": \"work\"}'::jsonb from generate_series(1, %s)))",
        [count],
    )


def letter(world: World, message: int) -> tuple[Any, ...]:
    """What the dead letters say of a message, once it is there."""
    query = "select attempts, reason, error from orchestra.dead_letter where msg_id = %s"
    return eventually(lambda: world.engine.execute(query, [message]), within=40, what=query)[0]


def test_every_way_to_misbehave_ends_in_a_verdict_and_harms_nobody(world: World) -> None:
    bad = {
        do: send(world, do) for do in ("never end", "throw text", "throw nothing", "reject late", "give up")
    }
    snoozed = send(world, "snooze")
    good = [send(world, "work") for _ in range(40)]

    world.becomes("select count(*) = 40 from trouble.done where what = 'work'", within=60)
    attempts, reason, error = letter(world, bad["never end"])
    assert (attempts, reason) == (2, "exhausted")
    assert "timed out after 2000 ms" in error
    assert letter(world, bad["throw text"])[:2] == (2, "exhausted")
    assert "just a text" in letter(world, bad["throw text"])[2]
    assert letter(world, bad["throw nothing"])[:2] == (2, "exhausted")
    assert letter(world, bad["give up"])[:2] == (1, "permanent")
    # A rejection that nobody awaits is the isolate's, not the message's.
    world.becomes("select count(*) = 1 from trouble.done where what = 'reject late'")
    assert any("a rejection that nobody handled" in line.text for line in world.edge.log)
    world.becomes("select count(*) = 1 from trouble.done where message_id = %s", snoozed)
    world.becomes("select count(*) = 0 from pgmq.q_work")
    assert world.one("select count(distinct message_id) from trouble.done where what = 'work'") == len(good)
    assert any("an attempt failed" in line.text for line in world.edge.log)

    # What kills its isolate takes its mates along for one attempt, and dies alone.
    deadly = send(world, "die")
    more = [send(world, "work") for _ in range(20)]
    attempts, reason, error = letter(world, deadly)
    assert (attempts, reason) == (2, "exhausted")
    assert "without a verdict" in error
    world.becomes(
        "select count(distinct message_id) = 20 from trouble.done where message_id = any (%s)", more
    )
    world.becomes("select count(*) = 0 from pgmq.q_work")


def test_a_worker_that_outlives_its_lease_disturbs_nobody(pg17: Engine, tmp_path: Path) -> None:
    """It blocks its isolate for longer than the lease: another one does the work, and it finds out that it is late."""
    with blocked(pg17, tmp_path) as block:
        block.release(2)
        block.world.becomes("select count(*) = 0 from pgmq.q_work", within=90)
        assert [attempt for attempt, _ in block.done()] == [2]
        block.release(1)
        first, second = block.both_end()
        assert "its lease ran out" in block.warning(first)
        assert first != second
        assert_handed_out_twice_and_done(block)


def test_a_report_that_comes_too_late_changes_nothing(pg17: Engine, tmp_path: Path) -> None:
    """A message is given away under a lease on which its worker has every reason to rely."""
    with blocked(pg17, tmp_path, lease_ms=60_000) as block:
        world = block.world
        world.engine.execute("select pgmq.set_vt('work', %s, 0)", [block.message])
        wake = world.post("work", {"workload": "work"}, x_orchestra="wake", apikey=SECRET_KEY)
        assert wake.status == 202
        world.becomes("select read_ct = 2 from pgmq.q_work where msg_id = %s", block.message)
        block.release(1)
        world.becomes("select count(*) = 1 from trouble.done")
        [(attempt, first)] = block.done()
        assert attempt == 1
        # Where ten seconds have passed it has asked before it reported.
        assert any(late in block.warning(first) for late in ("reported too late", "its lease was lost"))
        assert world.one("select count(*) from pgmq.q_work where msg_id = %s", block.message) == 1
        block.release(2)
        assert block.both_end() != (first, first)
        assert_handed_out_twice_and_done(block)


@dataclass(frozen=True)
class Block:
    """A message whose every attempt stands still, and its isolate with it, until it is released."""

    world: World
    message: int
    folder: Path

    def release(self, attempt: int) -> None:
        (self.folder / str(attempt)).touch()

    def done(self) -> list[tuple[int, int]]:
        """The attempts that have come to their end, and their isolates."""
        query = "select attempt, isolate from trouble.done where message_id = %s order by attempt"
        return self.world.engine.execute(query, [self.message])

    def both_end(self) -> tuple[int, int]:
        """The isolates of the two attempts, once both have come to their end."""
        eventually(lambda: len(self.done()) == 2, within=40, what="the end of both attempts")
        [(one, first), (two, second)] = self.done()
        assert (one, two) == (1, 2)
        return first, second

    def warning(self, isolate: int) -> str:
        """What an isolate says of the message as a warning, once it does."""

        def said() -> list[str]:
            lines = [line.text for line in self.world.edge.log if line.pid == isolate]
            return [text for text in lines if '"warn"' in text and f'"message_id":"{self.message}"' in text]

        return "\n".join(eventually(said, within=40, what="a warning"))


@contextmanager
def blocked(engine: Engine, folder: Path, *, lease_ms: int = 6_000) -> Iterator[Block]:
    """One of two isolates stands still with a message."""
    (folder / "go").mkdir()
    with running(TROUBLE, engine, folder, spread=2) as world:
        # The archive keeps how often a message was handed out.
        engine.execute(
            "update orchestra.workload set retention_completed_ms = 3600000, visibility_timeout_ms = %s "
            "where name = 'work'",
            [lease_ms],
        )
        payload = json.dumps({"do": "block", "text": str(folder / "go")})
        message = int(world.one("select orchestra.send('work', %s::text::jsonb)", payload))
        world.becomes("select read_ct = 1 from pgmq.q_work where msg_id = %s", message)
        yield Block(world, message, folder / "go")


def assert_handed_out_twice_and_done(block: Block) -> None:
    """The second hand-out was the last, nothing counts as failed, and further work is done."""
    world = block.world
    world.becomes("select count(*) = 0 from pgmq.q_work", within=40)
    world.becomes("select count(*) = 0 from orchestra.slot where held <> '{}'", within=40)
    assert world.engine.execute("select msg_id, read_ct from pgmq.a_work") == [(block.message, 2)]
    assert world.one("select count(*) from orchestra.delivery") == 0
    assert world.one("select count(*) from orchestra.dead_letter") == 0
    send_work(world, 40)
    world.becomes("select count(*) = 40 from trouble.done where what = 'work' and attempt = 1", within=40)
    world.becomes("select count(*) = 0 from pgmq.q_work")


def test_requests_that_are_no_good_change_nothing(world: World) -> None:
    work = {"do": "work"}
    assert world.post("work", work).status == 401
    assert world.post("work", work, apikey="sb_secret_wrong").status == 401
    assert world.post("work", None, raw=b"{no json", apikey=SECRET_KEY).status == 400
    assert world.post("work", {"do": "nonsense"}, apikey=SECRET_KEY).status == 422
    answer = world.post("work", {"items": [work, {"do": "work", "more": 1}]}, apikey=SECRET_KEY)
    assert (answer.status, [f["index"] for f in answer.body["items"]]) == (422, [1])
    assert world.post("work", {"items": [work] * 1001}, apikey=SECRET_KEY).status == 413
    assert world.post("work", {"workload": "work"}, x_orchestra="wake", apikey="wrong").status == 401
    assert world.one("select count(*) from pgmq.q_work") == 0
    assert world.one("select count(*) from orchestra.slot where token is not null") == 0


def test_only_signed_in_users_come_in_by_a_door_for_them(world: World) -> None:
    def token(**claims: Any) -> str:
        parts = ({"alg": "HS256", "typ": "JWT"}, claims)
        head, body = (base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts)
        return f"{head}.{body}.c2lnbmF0dXJl"

    ada, anon = token(sub="ada", role="authenticated"), token(role="anon")
    world.services.users[ada] = "ada"
    assert world.post("call", {"do": "work"}).status == 401
    assert world.post("call", {"do": "work"}, authorization=f"Bearer {anon}").status == 401
    forged = token(sub="eve", role="authenticated")
    assert world.post("call", {"do": "work"}, authorization=f"Bearer {forged}").status == 401
    answer = world.post("call", {"do": "work"}, authorization=f"Bearer {ada}")
    assert (answer.status, answer.body) == (200, {"status": "accepted"})
    world.becomes("select count(*) = 1 from orchestra.call where status = 'done'")

    # One that is aborted at its timeout, and one whose isolate dies: both are seen.
    world.post("call", {"do": "never end"}, authorization=f"Bearer {ada}")
    world.becomes(
        "select count(*) = 1 from orchestra.call where status = 'failed' and error like 'timed out%%'"
    )
    world.post("call", {"do": "die"}, authorization=f"Bearer {ada}")
    world.engine.execute("update orchestra.call set due_at = now() where status = 'running'")
    world.becomes("select count(*) = 1 from orchestra.call where status = 'lost'", within=75)


def test_a_large_payload_goes_all_the_way(world: World) -> None:
    text = "x" * (6 * 1024 * 1024)
    answer = world.post("work", {"do": "work", "text": text}, apikey=SECRET_KEY)
    assert answer.status == 202
    world.becomes("select count(*) = 1 from trouble.done where bytes = %s", len(text))
    world.becomes("select count(*) = 0 from pgmq.q_work")


def test_a_wake_up_that_is_lost_is_made_up_for_by_the_tick(world: World) -> None:
    with psycopg.connect(world.engine.dsn) as connection:
        connection.execute("select orchestra.send('work', '{\"do\": \"work\"}')")
        # As after a crash, which empties pg_net's unlogged queue: the call never leaves.
        connection.execute("set constraints all immediate")
        lost = connection.execute("delete from net.http_request_queue returning id").fetchall()
    assert len(lost) == 1
    world.becomes("select count(*) = 1 from trouble.done", within=25)


def test_calls_that_the_function_refuses_become_rare_until_the_key_is_right(
    pg17: Engine, tmp_path: Path
) -> None:
    """Vault holds another key than the function: every call is answered with 401."""
    with running(TROUBLE, pg17, tmp_path, {"orchestra_function_key": "sb_secret_of_yesterday"}) as world:
        send_work(world, 3)
        status = "select {} from orchestra.status() where workload = 'work'"
        world.becomes(status.format("wakes_missed >= 2"), within=90)
        before = calls(world)
        assert before == 1 + world.one(status.format("wakes_missed"))
        for _ in range(20):
            run_job(pg17, "orchestra:trouble:tick.5s")
        # One, where the machine has taken so long for it that its time has come.
        assert calls(world) <= before + 1

        assert pg17.execute("select distinct status_code from net._http_response where not timed_out") == [
            (401,)
        ]
        assert world.one("select count(*) from trouble.done") == 0
        assert world.one("select count(*) = 3 and max(read_ct) = 0 from pgmq.q_work")
        assert world.one(status.format("deployed is null and waiting = 3"))

        pg17.execute(
            "select vault.update_secret(id, %s) from vault.secrets where name = 'orchestra_function_key'",
            [SECRET_KEY],
        )
        world.becomes("select count(*) = 3 from trouble.done where attempt = 1", within=120)
        world.becomes("select count(*) = 0 from pgmq.q_work")
        assert world.one(status.format("wakes_missed = 0 and deployed = wanted"))


def calls(world: World) -> int:
    """How often the function was called: answered, and on the way."""
    return int(
        world.one(
            "select (select count(*) from net._http_response) + (select count(*) from net.http_request_queue)"
        )
    )


def test_wake_ups_that_come_twice_bring_no_more_workers_than_the_limit(world: World) -> None:
    send_work(world, 300)
    posts = [
        threading.Thread(
            target=world.post,
            args=("work", {"workload": "work"}),
            kwargs={"x_orchestra": "wake", "apikey": SECRET_KEY},
        )
        for _ in range(20)
    ]
    for post in posts:
        post.start()
    for post in posts:
        post.join()
    world.becomes("select count(*) = 300 from trouble.done", within=40)
    overlaps = """
        select max(at_once) from (
          select sum(change) over (order by at, change) as at_once
          from trouble.done cross join lateral (values (started_at, 1), (ended_at, -1)) e(at, change)
        ) s
    """
    assert 1 < world.one(overlaps) <= 4
    assert world.one("select count(distinct message_id) from trouble.done") == 300


def nothing_is_lost(world: World, count: int) -> None:
    world.becomes(f"select count(distinct message_id) = {count} from trouble.done", within=90)
    world.becomes("select count(*) = 0 from pgmq.q_work", within=60)
    assert world.one("select count(*) from orchestra.dead_letter") == 0


def test_a_server_that_crashes_in_mid_batch_loses_nothing(world: World) -> None:
    world.engine.execute("alter role postgres set synchronous_commit = on")
    # Each crash fails the handlers that are at their own SQL just then, and one message may be met by all three.
    world.engine.execute("update orchestra.workload set max_attempts = 10 where name = 'work'")
    send_work(world, 600)
    for _ in range(3):
        comes_back(world, after=crash)
    nothing_is_lost(world, 600)


def test_a_server_that_is_restarted_in_mid_batch_loses_nothing(world: World) -> None:
    """In good order, unlike a crash: who is connected is sent away (57P01), who comes is turned away (57P03)."""
    world.engine.execute("update orchestra.workload set max_attempts = 10 where name = 'work'")
    send_work(world, 1_000)
    for _ in range(3):
        comes_back(world, after=restart)
    nothing_is_lost(world, 1_000)
    assert any("a turn is repeated" in line.text for line in world.edge.log)


def test_connections_that_are_cut_again_and_again_lose_nothing(world: World) -> None:
    send_work(world, 600)
    deadline = time.monotonic() + 40
    cuts = 0
    while world.one("select count(*) from pgmq.q_work") > 0 and time.monotonic() < deadline:
        cuts += world.one(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity "
            "where application_name like 'orchestra:trouble:%%'"
        )
        time.sleep(0.15)
    assert cuts > 5
    world.becomes("select count(*) = 0 from pgmq.q_work", within=40)
    # The handlers' own connections are cut too: of two attempts both may fail, and then the letters say so.
    assert (
        world.one(
            "select count(distinct id) from "
            "(select message_id from trouble.done union select msg_id from orchestra.dead_letter) m(id)"
        )
        == 600
    )
    assert world.one("select count(*) from orchestra.dead_letter") < 60


def test_an_idle_transaction_that_holds_an_old_snapshot_stops_nothing(world: World) -> None:
    with psycopg.connect(world.engine.dsn) as idle:
        idle.execute("set transaction isolation level repeatable read")
        idle.execute("select count(*) from pgmq.q_work")
        for _ in range(3):
            send_work(world, 300)
            world.becomes("select count(*) = 0 from pgmq.q_work", within=40)
    assert world.one("select count(distinct message_id) from trouble.done") == 900


def worker_backend(world: World) -> int | None:
    try:
        rows = world.engine.execute(
            "select a.pid from pg_stat_activity a where a.application_name = 'orchestra:trouble:work' "
            "and exists (select from orchestra.slot s where s.held <> '{}')"
        )
    except psycopg.OperationalError:
        return None
    return rows[0][0] if rows else None


def comes_back(world: World, *, after: Callable[[World, int], None]) -> None:
    """What happens to the server while a backend works for a worker, and that it is up again then."""
    before = life(world)
    pid = eventually(lambda: worker_backend(world), within=40, what="a worker's connection")
    assert pid is not None
    after(world, pid)
    eventually(lambda: life(world) not in (None, before), within=40, what="the server's return")


def crash(world: World, worker: int) -> None:
    """kill -9 of a backend, after which the server starts again by itself."""
    os.kill(worker, signal.SIGKILL)


def restart(world: World, worker: int) -> None:
    """An orderly one that takes a while, because the worker's backend is slow to end."""
    os.kill(worker, signal.SIGSTOP)
    let_go = threading.Thread(target=let_go_when_it_stops, args=(world, worker))
    let_go.start()
    try:
        world.engine.restart()
    finally:
        let_go.join()


def let_go_when_it_stops(world: World, worker: int) -> None:
    try:
        for _ in range(20):
            eventually(lambda: is_turned_away(world), within=20, what="a server that shuts down")
    finally:
        os.kill(worker, signal.SIGCONT)


def is_turned_away(world: World) -> bool:
    try:
        world.one("select 1")
    except psycopg.OperationalError as refused:
        return "the database system is shutting down" in str(refused)
    return False


def life(world: World) -> Any:
    """Something else after each start; None while the server is down."""
    try:
        return world.one("select backend_start from pg_stat_activity where backend_type = 'checkpointer'")
    except psycopg.OperationalError:
        return None
