"""Trivial jobs taken off a queue: our turn, against pgmq itself and against other queues in PostgreSQL."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks import databases, npm, servers
from benchmarks.measure import ROOT, run
from benchmarks.racing import Lap, race
from benchmarks.result import Figure, Unmeasured
from benchmarks.servers import Engine

MESSAGES = 20_000
ROUNDS, PEER_ROUNDS = 9, 3
QUEUE = "bench"

RAW_BUDGET = 1 / 0.8
PEER_BUDGET = 1.0
ONE_BY_ONE_BUDGET = 0.1

_BODIES = "select jsonb_build_object('id', i, 'body', repeat('x', 80)) from generate_series(1, %s::int) i"
_FILL = {
    "of_pgmq": f"select count(*) from pgmq.send_batch('{QUEUE}', array({_BODIES}))",
    "of_graphile": f"select count(graphile_worker.add_job('{QUEUE}', b::json)) from ({_BODIES}) bodies(b)",
}


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to work a queue off, and the template of the database that it does it in.

    `part`: it is slow, so that it works on the first tenth alone. `listens`: it is started before the queue is filled.
    """

    template: str
    command: Callable[[str, int], list[str]]
    consumers: int = 1
    part: bool = False
    listens: bool = False
    cwd: Path = ROOT


def measure(*, quick: bool) -> Iterator[Figure]:
    messages, rounds, of_peers = (MESSAGES // 2, 3, 1) if quick else (MESSAGES, ROUNDS, PEER_ROUNDS)
    folder = npm.peers()
    contenders = _contenders(folder)
    laps: dict[str, dict[int, Lap]] = {name: {} for name in contenders}
    with servers.new_servers() as new:
        engine = new()
        _make_templates(engine, folder)
        for number in range(rounds):
            for name in _in_order(contenders, number):
                # What is close takes more rounds to tell apart.
                if contenders[name].template == "of_pgmq" or number % (rounds // of_peers) == 0:
                    laps[name][number] = _lap(engine, contenders[name], messages, folder)
    yield from _figures(laps, messages)


def _in_order(contenders: Mapping[str, Contender], number: int) -> list[str]:
    """Forwards and backwards in turn, so that nobody always comes after the same one."""
    return [*contenders] if number % 2 == 0 else [*contenders][::-1]


def _figures(laps: Mapping[str, Mapping[int, Lap]], messages: int) -> Iterator[Figure]:
    """How long turns take beside how long the other way takes, in the same round: the middle one of all rounds."""
    for n in (1, 2):
        ours = laps[f"turns, {n}"]
        held: dict[str, float | None] = {
            "raw pgmq": RAW_BUDGET,
            "raw pgmq, delete and read in one commit": None,
            npm.version("pg-boss"): PEER_BUDGET,
            f"{npm.version('graphile-worker')} in batches": PEER_BUDGET,
        }
        if n == 1:
            held |= {f"{npm.version('graphile-worker')}": None, "pgmq one by one": ONE_BY_ONE_BUDGET}
        for other, budget in held.items():
            theirs = laps[f"{other}, {n}"]
            ratio = statistics.median(lap.rate / ours[number].rate for number, lap in theirs.items())
            basis = f"{_rates(ours)}; {other}: {_rates(theirs)}"
            yield Figure(f"drain of {messages:,} by {n}", ratio, "x", budget, basis)


def _rates(laps: Mapping[int, Lap]) -> str:
    rates = sorted(lap.rate for lap in laps.values())
    return f"{statistics.median(rates):,.0f} /s ({rates[0]:,.0f} to {rates[-1]:,.0f})"


def _contenders(folder: Path) -> dict[str, Contender]:
    node = npm.program("node")

    def ours(way: str, n: int, *, part: bool = False) -> Contender:
        python = [sys.executable, "-m", "benchmarks.consumers", way]
        return Contender(
            "of_pgmq", lambda dsn, most: [*python, dsn, QUEUE, str(most if part else 0)], n, part
        )

    def boss(n: int) -> Contender:
        return Contender("of_boss", lambda dsn, _: [node, "pg-boss.mjs", "drain", dsn], n, cwd=folder)

    def graphile(verb: str, n: int, *, part: bool = False) -> Contender:
        command = [node, "graphile-worker.mjs", verb]
        return Contender("of_graphile", lambda dsn, _: [*command, dsn], n, part, listens=True, cwd=folder)

    found: dict[str, Contender] = {}
    for n in (1, 2):
        found[f"raw pgmq, {n}"] = ours("raw", n)
        found[f"turns, {n}"] = ours("turns", n)
        found[f"raw pgmq, delete and read in one commit, {n}"] = ours("raw-in-one-commit", n)
        found[f"{npm.version('pg-boss')}, {n}"] = boss(n)
        found[f"{npm.version('graphile-worker')} in batches, {n}"] = graphile("batches", n)
    found["pgmq one by one, 1"] = ours("one-by-one", 1, part=True)
    found[f"{npm.version('graphile-worker')}, 1"] = graphile("default", 1, part=True)
    return found


def _make_templates(engine: Engine, folder: Path) -> None:
    node = npm.program("node")
    databases.new_runtime(engine, "of_pgmq", [QUEUE])
    for template, program in (("of_boss", "pg-boss.mjs"), ("of_graphile", "graphile-worker.mjs")):
        engine.execute(f"create database {template}")
        run([node, program, "setup", engine.url(database=template)], cwd=folder)


def _lap(engine: Engine, contender: Contender, messages: int, folder: Path) -> Lap:
    """One race in a database of its own. What was written before it is on the disk."""
    most = messages // 10 if contender.part else messages
    number = most if contender.listens else messages
    with databases.copy_of(engine, contender.template, "race") as dsn:

        def fill() -> None:
            if contender.template == "of_boss":
                run([npm.program("node"), "pg-boss.mjs", "fill", dsn, str(number)], cwd=folder)
            else:
                with psycopg.connect(dsn) as connection:
                    connection.execute(_FILL[contender.template], [number])

        engine.execute("checkpoint")
        if contender.listens:
            lap = race(contender.command(dsn, most), contender.consumers, before=fill, cwd=contender.cwd)
        else:
            fill()
            lap = race(contender.command(dsn, most), contender.consumers, cwd=contender.cwd)
    if lap.done != most:
        raise Unmeasured(f"{' '.join(contender.command('', most))[:80]} did {lap.done} of {most}")
    return lap
