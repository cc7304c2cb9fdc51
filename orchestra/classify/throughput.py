"""The ceiling of a queue: how many items a second its workers can do for ever.

A worker boots, works through J items, leaves, and waits half a poll interval, on average, for the tick that
starts the next one. With D an item's duration, p items at once in a worker, o a turn's overhead and B items
a turn:

    t = D / p + o / B                     one item's share of a worker's time
    J = min(G / t, CPU / cpu)             items of one run
    X = N * J / (J * t + boot + T / 2)    items a second of N workers

G is the time to work: half the wall clock less boot and margin for an Edge worker, the run budget for a
consumer in SQL. Two corrections, both downwards, where items are long or ticks are rare. A worker takes no
work that might outlast it, so rounds of p items start during S = G - timeout only, which makes
p * (floor(S / (p * t)) + 1) of them in place of G / t. And a slot is started once a tick at the most, so a
cycle is never shorter than T. Tests hold this against a discrete-event simulation.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from orchestra import platform as limits
from orchestra.classify.model import Arithmetic


@dataclass(frozen=True, slots=True)
class Workers:
    """What the ceiling depends on; times in seconds. `cpu_items` None where no CPU limit ends a run."""

    handler: Literal["edge", "sql"]
    slots: int
    per_slot: float
    item_s: float
    item_is_typical: bool
    timeout_s: float
    turn_s: float
    batch: int
    window_s: float
    boot_s: float
    poll_s: float
    cpu_items: float | None = None


def edge_workers(
    *,
    limit: int,
    per_worker: int,
    batch: int,
    item_ms: int,
    item_is_typical: bool,
    timeout_ms: int,
    cpu_ms: float,
    poll_ms: int,
    wall_clock_ms: int,
) -> Workers:
    """Isolates: `ceil(limit / per_worker)` of them share the limit evenly."""
    slots = ceil(limit / per_worker)
    window_ms = wall_clock_ms / 2 - limits.EDGE_BOOT_MS - limits.EDGE_MARGIN_MS
    cpu = limits.EDGE_CPU_MS * limits.EDGE_CPU_SHARE
    return Workers(
        handler="edge",
        slots=slots,
        per_slot=limit / slots,
        item_s=item_ms / 1_000,
        item_is_typical=item_is_typical,
        timeout_s=timeout_ms / 1_000,
        turn_s=limits.EDGE_TURN_MS / 1_000,
        batch=batch,
        window_s=window_ms / 1_000,
        boot_s=limits.EDGE_BOOT_MS / 1_000,
        poll_s=poll_ms / 1_000,
        cpu_items=cpu / cpu_ms if cpu_ms > 0 else None,
    )


def sql_workers(
    *,
    limit: int,
    item_ms: int,
    item_is_typical: bool,
    timeout_ms: int,
    poll_ms: int,
    statement_timeout_ms: int = 0,
    run_ms: int = limits.SQL_RUN_MS,
    turn_ms: int = limits.SQL_TURN_MS,
) -> Workers:
    """Consumer jobs of pg_cron: `limit` of them, each with one item at a time, committed one by one.

    A consumer looks at the clock between items: its run ends after `run_ms`, or when one more item might meet
    the `statement_timeout` (0: none) of the whole run.
    """
    window_ms = run_ms
    if statement_timeout_ms:
        window_ms = min(window_ms, max(statement_timeout_ms - timeout_ms - limits.SQL_MARGIN_MS, 0))
    return Workers(
        handler="sql",
        slots=limit,
        per_slot=1,
        item_s=item_ms / 1_000,
        item_is_typical=item_is_typical,
        timeout_s=0,
        turn_s=turn_ms / 1_000,
        batch=1,
        window_s=window_ms / 1_000,
        boot_s=limits.CRON_BOOT_MS / 1_000,
        poll_s=poll_ms / 1_000,
    )


def ceiling(w: Workers) -> Arithmetic:
    item_time = max(w.item_s / w.per_slot + w.turn_s / w.batch, 1e-6)
    rounds = int(max(w.window_s - w.timeout_s, 0) / (item_time * w.per_slot)) + 1
    by_time = rounds * w.per_slot
    bound: Literal["time", "cpu"] = "time"
    if w.cpu_items is not None and w.cpu_items < by_time:
        by_time, bound = w.cpu_items, "cpu"
    items = max(int(by_time), 1)
    working = items * item_time + w.boot_s
    wait = max(w.poll_s / 2, w.poll_s - working)
    return Arithmetic(
        handler=w.handler,
        slots=w.slots,
        per_slot=w.per_slot,
        item_s=w.item_s,
        item_is_typical=w.item_is_typical,
        turn_s=w.turn_s,
        batch=w.batch,
        item_time_s=item_time,
        window_s=w.window_s,
        items=items,
        bound=bound,
        boot_s=w.boot_s,
        poll_s=w.poll_s,
        wait_s=wait,
        ceiling_per_s=w.slots * items / (working + wait),
    )
