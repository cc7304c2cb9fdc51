"""Isolates that end, killed at random moments or retired as the platform does it, on what compile writes: real
PostgreSQL 17, pg_cron, pgmq and Deno."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from engines import Engine
from engines.waiting import eventually

from acceptance.cases import Case
from acceptance.world import World, running

HERE = Path(__file__).parent / "chaos"
CHAOS = Case("chaos", HERE / "orchestra.yaml", HERE / "setup.sql", HERE / "none.sql")
MESSAGES, KILLS, POISON = 10_000, 200, 3
LIMIT, ATTEMPTS = 20, 8  # as in its orchestra.yaml
LIFE = 8.0
"""Seconds that the isolates have which are to retire; the messages take them twice as long."""
SLOW = 1_400

# Each hand-out, and whether the lease or the wait before it had yet to end: by the clock, in the very update.
WATCH = """
    create table chaos.hand_out (msg_id bigint not null, read_ct int not null, early boolean not null);
    create function chaos.watch() returns trigger language plpgsql as $$
    begin
      insert into chaos.hand_out values (new.msg_id, new.read_ct, old.vt > clock_timestamp());
      return new;
    end $$;
    create trigger watch before update on pgmq.q_work
      for each row when (new.read_ct > old.read_ct) execute function chaos.watch();
"""


def test_nothing_is_lost_when_workers_are_killed(pg17: Engine, tmp_path: Path) -> None:
    dice = random.Random(20261124)
    with running(CHAOS, pg17, tmp_path, spread=4) as world:
        pg17.psql(WATCH)
        pg17.execute(
            "select orchestra.send_many('work', array(select to_jsonb(n) from generate_series(1, %s) n))",
            [MESSAGES],
        )
        poison = {send_poison(world) for _ in range(POISON)}
        killed = kill_at_random(world, dice)
        alone = send_poison_alone(world)
        poison.add(alone)
        world.becomes("select count(*) = 0 from pgmq.q_work", within=240)

        letters = pg17.execute("select msg_id, attempts, reason from orchestra.dead_letter")
        assert sorted(letters) == [(p, ATTEMPTS, "exhausted") for p in sorted(poison)]
        assert (
            world.one("select count(distinct msg_id) from chaos.work where ended_at is not null") == MESSAGES
        )
        starts = starts_of_poison(world)
        assert starts[alone] == list(range(1, ATTEMPTS + 1))
        for attempts in starts.values():
            # What was killed before it began has spent that attempt.
            assert attempts == sorted(set(attempts) & set(range(1, ATTEMPTS + 1)))
        assert_hand_outs_follow_a_lease(world)
        work = pg17.execute(
            "select msg_id, isolate, started_at, ended_at from chaos.work order by started_at"
        )
        poisoned = pg17.execute("select isolate, at from chaos.poisoned")
        died = deaths(work, dict(poisoned), killed)
        assert_repeats_follow_a_death(work, died)
        most = most_at_once(
            (start, end or died[isolate]) for _, isolate, start, end in work if end or isolate in died
        )
        assert most <= LIMIT
        assert most > LIMIT / 2, "the limit was not even approached"

        pg17.execute("update chaos.mercy set given = true")
        assert world.one("select orchestra.redrive('work')") == len(poison)
        world.becomes(
            "select count(distinct msg_id) = %s from chaos.work where ended_at is not null",
            MESSAGES + len(poison),
        )
        world.becomes("select count(*) = 0 from pgmq.q_work")
        assert world.one("select bool_and(redriven_as is not null) from orchestra.dead_letter")


def test_isolates_that_retire_hand_back_what_they_have_not_begun(pg17: Engine, tmp_path: Path) -> None:
    """The work takes longer than an isolate lives: the next one goes on, and no message notices."""
    with running(CHAOS, pg17, tmp_path, wall_clock_s=LIFE) as world:
        # The archive keeps how often each was handed out; and no worker leaves before its isolate has to go.
        pg17.execute("update orchestra.workload set retention_completed_ms = 3600000, cpu_ms = 1")
        pg17.execute(
            "select orchestra.send_many('work', array(select '{\"ms\": 200}'::jsonb from generate_series(1, %s)))",
            [SLOW],
        )
        world.becomes("select count(*) = 0 from pgmq.q_work", within=120)
        worked = {pid for (pid,) in pg17.execute("select distinct isolate from chaos.work")}
        assert len(worked) > 1
        eventually(lambda: ends(world).keys() >= worked, within=60, what="the end of every isolate")

        assert set(ends(world).values()) <= {"ended: early_drop", "ended: wall_clock"}
        assert any("is shut down" in line.text and "wall_clock" in line.text for line in world.edge.log)
        [done] = pg17.execute(
            "select count(*), count(distinct msg_id), count(ended_at), min(attempt), max(attempt) from chaos.work"
        )
        assert done == (SLOW, SLOW, SLOW, 1, 1)
        assert world.one("select count(*) from pgmq.a_work") == SLOW
        assert world.one("select count(*) from pgmq.a_work where read_ct > 1") > 0, "nothing was handed back"
        assert world.one("select count(*) from orchestra.dead_letter") == 0


def ends(world: World) -> dict[int, str]:
    """How the isolates have ended that have."""
    return {
        line.pid: line.text
        for line in world.edge.log
        if line.pid is not None and line.stream == "runner" and line.text.startswith("ended: ")
    }


def send_poison(world: World) -> int:
    """A message that kills whoever handles it, until there is mercy."""
    return int(world.one("select orchestra.send('work', '{\"poison\": true}')"))


def send_poison_alone(world: World) -> int:
    """One that nobody but itself will kill: the dice have ended, and the others of its kind go without company."""
    world.becomes(
        "select not exists (select from pgmq.q_work where read_ct = 0 and message ? 'poison')", within=120
    )
    return send_poison(world)


def starts_of_poison(world: World) -> dict[int, list[int]]:
    """The attempts of each message that really began."""
    starts: dict[int, list[int]] = defaultdict(list)
    for message, attempt in world.engine.execute("select msg_id, attempt from chaos.poisoned order by 1, 2"):
        starts[message].append(attempt)
    return starts


def assert_hand_outs_follow_a_lease(world: World) -> None:
    """A message is handed out again only when its lease has run out or was given up."""
    hand_outs, again, early = world.engine.execute(
        "select count(*) filter (where read_ct = 1), count(*) filter (where read_ct > 1), "
        "count(*) filter (where early) from chaos.hand_out"
    )[0]
    assert hand_outs == MESSAGES + POISON + 1
    assert again > KILLS
    assert early == 0


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
    work: Iterable[tuple[int, int, datetime, datetime | None]],
    poisoned: dict[int, datetime],
    killed: dict[int, datetime],
) -> dict[int, datetime]:
    """When each isolate died: killed, or ended by a message that kills, after the last thing it wrote."""
    last = dict(poisoned)
    ended = set(poisoned)
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
