"""The whole loop: what is enqueued wakes a worker through pg_net, and Deno runs its handlers."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks import edge_world, servers
from benchmarks.edge_world import World
from benchmarks.result import Figure

JOBS, ROUNDS = 2_000, 3
TRICKLE, PER_S = 120, 2
FIRSTS = 7

JOB_BUDGET_MS = 1000 / 400
P50_BUDGET_MS, P95_BUDGET_MS = 50.0, 100.0
FIRST_BUDGET_MS = 1_500.0

_SPEC = """version: 1
project: bench
platform: {provider: supabase, plan: pro}
workloads:
  burst:
    trigger: manual
    duration: {typical: 20ms, max: 5s, cpu: 1ms}
    concurrency: {limit: 10, per_worker: 10}
    poll_interval: 5s
  trickle:
    trigger: manual
    duration: {typical: 1ms, max: 5s, cpu: 1ms}
    concurrency: {limit: 10, per_worker: 10}
    poll_interval: 5s
"""

_HANDLERS = {
    "burst": """export default async function handler(): Promise<void> {
  await new Promise((done) => setTimeout(done, 20));
}
""",
    "trickle": """export default function handler(payload: unknown): void {
  console.log(`seen ${JSON.stringify(payload)} ${performance.timeOrigin + performance.now()}`);
}
""",
}


def measure(*, quick: bool) -> Iterator[Figure]:
    rounds, messages, firsts = (1, 40, 3) if quick else (ROUNDS, TRICKLE, FIRSTS)
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.new_servers(jobs=True) as new,
        edge_world.running(new(), Path(folder), _SPEC, _HANDLERS) as world,
    ):
        yield from _bursts(world, rounds)
        yield from _trickle(world, messages)
        yield from _firsts(world, firsts)


def _bursts(world: World, rounds: int) -> Iterator[Figure]:
    """From the commit of all jobs, while one worker lingers, until none is left."""
    each: list[float] = []
    cpu: list[float] = []
    calls: list[int] = []
    for _ in range(rounds):
        world.forget("burst")
        world.send("burst", [0])
        world.until_empty("burst")
        before = world.calls()
        began = world.send("burst", list(range(JOBS)))
        world.until_empty("burst")
        each.append((time.time() - began) * 1000 / JOBS)
        cpu.append(world.cpu_s("burst"))
        calls.append(world.calls() - before)
    took = statistics.median(each)
    basis = (
        f"{1000 / took:,.0f} /s with one worker of ten ({1000 / max(each):,.0f} to {1000 / min(each):,.0f}); "
        f"{statistics.median(cpu):.1f} s of CPU, {max(calls)} more calls"
    )
    yield Figure(f"{JOBS:,} jobs of 20 ms, each", took, "ms", JOB_BUDGET_MS, basis)


def _trickle(world: World, messages: int) -> Iterator[Figure]:
    """From a commit to its handler, two a second, at no fixed distance."""
    draw = random.Random(1)
    world.send("trickle", [-1])
    world.seen(-1)
    before = world.calls()
    sent = []
    for number in range(messages):
        time.sleep(draw.uniform(0.5, 1.5) / PER_S)
        sent.append(world.send("trickle", [number]))
    waits = sorted(1000 * (world.seen(n) - at) for n, at in enumerate(sent))
    p50, p95 = statistics.median(waits), statistics.quantiles(waits, n=20)[-1]
    basis = f"{waits[0]:.0f} to {waits[-1]:.0f} ms; {world.calls() - before} more calls"
    yield Figure(f"trickle of {PER_S}/s, p50", p50, "ms", P50_BUDGET_MS, basis)
    yield Figure(f"trickle of {PER_S}/s, p95", p95, "ms", P95_BUDGET_MS, basis)


def _firsts(world: World, firsts: int) -> Iterator[Figure]:
    """The first message after idle time, its function not booted, beyond what the boot alone takes."""
    boots: list[float] = []
    quiet: list[float] = []
    resting: list[float] = []
    for number in range(firsts):
        world.forget("trickle")
        boots.append(_boot(world))
        for waits, busy in ((quiet, False), (resting, True)):
            world.forget("trickle")
            if busy:
                world.let_net_rest()
            name = f"{number} {busy}"
            at = world.send("trickle", [name])
            waits.append(1000 * (world.seen(name) - at))
    boot = statistics.median(boots)
    for name, waits, budget in (
        ("first after idle, pg_net resting", resting, FIRST_BUDGET_MS),
        ("first after idle", quiet, None),
    ):
        took = statistics.median(waits)
        basis = f"{took:,.0f} ms ({min(waits):,.0f} to {max(waits):,.0f}), less {boot:,.0f} ms of boot"
        yield Figure(name, took - boot, "ms", budget, basis)


def _boot(world: World) -> float:
    """Milliseconds until a function that has no isolate answers a request that it has nothing to do for."""
    began = time.perf_counter()
    try:
        urllib.request.urlopen(f"{world.edge.url}/trickle", timeout=30).close()
    except urllib.error.HTTPError as answer:
        answer.close()
    return (time.perf_counter() - began) * 1000
