"""What goes wrong in practice, end to end: handlers that misbehave, requests that are no good, calls that are lost, a
server that crashes. Real PostgreSQL 17, pg_cron and Deno."""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from engines import Engine
from engines.waiting import eventually

from acceptance.cases import Case
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


def test_a_worker_that_outlives_its_lease_disturbs_nobody(world: World) -> None:
    """It blocks its isolate for longer than the lease: another one does the work, and its own report comes too late."""
    message = send(world, "spin")
    world.becomes("select count(*) >= 1 from trouble.done where message_id = %s", message, within=40)
    world.becomes("select count(*) = 0 from pgmq.q_work", within=40)
    assert world.one("select count(*) from orchestra.dead_letter") == 0


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


def test_a_server_that_crashes_in_mid_batch_loses_nothing(world: World) -> None:
    world.engine.execute("alter role postgres set synchronous_commit = on")
    # Each crash fails the handlers that are at their own SQL just then, and one message may be met by all three.
    world.engine.execute("update orchestra.workload set max_attempts = 10 where name = 'work'")
    send_work(world, 600)
    for _ in range(3):
        crash(world)
    world.becomes("select count(distinct message_id) = 600 from trouble.done", within=90)
    world.becomes("select count(*) = 0 from pgmq.q_work", within=60)
    assert world.one("select count(*) from orchestra.dead_letter") == 0


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


def crash(world: World) -> None:
    """kill -9 of a backend that works for a worker, after which the server starts again and is up."""
    before = life(world)
    pid = eventually(lambda: worker_backend(world), within=40, what="a worker's connection")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: life(world) not in (None, before), within=40, what="the server's return")


def life(world: World) -> Any:
    """Something else after each crash; None while the server is down."""
    try:
        return world.one("select backend_start from pg_stat_activity where backend_type = 'checkpointer'")
    except psycopg.OperationalError:
        return None
