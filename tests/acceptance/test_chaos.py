"""Isolates killed at random moments, on what compile writes: real PostgreSQL 17, pg_cron, pgmq and Deno."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from engines import Engine

from acceptance.cases import Case
from acceptance.world import World, running

HERE = Path(__file__).parent / "chaos"
CHAOS = Case("chaos", HERE / "orchestra.yaml", HERE / "setup.sql", HERE / "none.sql")
MESSAGES, KILLS, POISON = 10_000, 200, 3
LIMIT, ATTEMPTS = 20, 8  # as in its orchestra.yaml


def test_nothing_is_lost_when_workers_are_killed(pg17: Engine, tmp_path: Path) -> None:
    dice = random.Random(20261124)
    with running(CHAOS, pg17, tmp_path, spread=4) as world:
        pg17.execute(
            "select orchestra.send_many('work', array(select to_jsonb(n) from generate_series(1, %s) n))",
            [MESSAGES],
        )
        poison = {world.one("select orchestra.send('work', '{\"poison\": true}')") for _ in range(POISON)}
        killed = kill_at_random(world, dice)
        world.becomes("select count(*) = 0 from pgmq.q_work", within=240)

        letters = pg17.execute("select msg_id, attempts, reason from orchestra.dead_letter")
        assert sorted(letters) == [(p, ATTEMPTS, "exhausted") for p in sorted(poison)]
        assert (
            world.one("select count(distinct msg_id) from chaos.work where ended_at is not null") == MESSAGES
        )
        work = pg17.execute(
            "select msg_id, isolate, started_at, ended_at from chaos.work order by started_at"
        )
        died = deaths(work, killed)
        assert_repeats_follow_a_death(work, died)
        most = most_at_once(
            (start, end or died[isolate]) for _, isolate, start, end in work if end or isolate in died
        )
        assert most <= LIMIT
        assert most > LIMIT / 2, "the limit was not even approached"

        pg17.execute("update chaos.mercy set given = true")
        assert world.one("select orchestra.redrive('work')") == POISON
        world.becomes(
            "select count(distinct msg_id) = %s from chaos.work where ended_at is not null", MESSAGES + POISON
        )
        world.becomes("select count(*) = 0 from pgmq.q_work")
        assert world.one("select bool_and(redriven_as is not null) from orchestra.dead_letter")


def kill_at_random(world: World, dice: random.Random) -> dict[int, datetime]:
    """The time of each isolate's death, by the database's clock."""
    killed: dict[int, datetime] = {}
    deadline = time.monotonic() + 400
    while len(killed) < KILLS:
        assert time.monotonic() < deadline, f"only {len(killed)} isolates could be killed"
        time.sleep(dice.uniform(0.05, 0.6))
        waiting = world.one("select count(*) from pgmq.q_work")
        assert waiting > 0, f"the work ended after {len(killed)} kills"
        alive = [isolate for isolate in world.edge.isolates("work") if isolate.waiting > 0]
        if alive:
            chosen = dice.choice(alive)
            if world.edge.kill(chosen.pid):
                killed[chosen.pid] = world.one("select clock_timestamp()")
    return killed


def deaths(
    work: Iterable[tuple[int, int, datetime, datetime | None]], killed: dict[int, datetime]
) -> dict[int, datetime]:
    """When each isolate died: killed, or ended by a message that kills, after the last thing it wrote."""
    last: dict[int, datetime] = {}
    ended: set[int] = set()
    for _, isolate, start, end in work:
        last[isolate] = max(last.get(isolate, start), end or start)
        if end is None:
            ended.add(isolate)
    return {**{isolate: last[isolate] for isolate in ended}, **killed}


def assert_repeats_follow_a_death(
    work: Iterable[tuple[int, int, datetime, datetime | None]], died: dict[int, datetime]
) -> None:
    """A message is handled again only when the isolate that had it before is gone, and its lease with it."""
    by_message: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    for message, isolate, start, _ in work:
        by_message[message].append((isolate, start))
    for message, attempts in by_message.items():
        for (isolate, _), (_, again) in pairwise(attempts):
            assert isolate in died, f"message {message} was handled twice while its worker lived"
            assert again >= died[isolate], f"message {message} was handled twice at once"


def most_at_once(spans: Iterable[tuple[datetime, datetime]]) -> int:
    """How many spans overlap at most; one that ends as another begins does not overlap it."""
    events = sorted(e for start, end in spans for e in ((start, 1), (end, -1)))
    most = now = 0
    for _, change in sorted(events, key=lambda e: (e[0], e[1])):
        now += change
        most = max(most, now)
    return most
