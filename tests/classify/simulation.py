"""A discrete-event simulation, item by item, of workers that never run out of messages."""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass

from orchestra.classify.throughput import Workers


@dataclass(frozen=True)
class Run:
    """What one worker did from its boot to its leaving: items begun and ended, and how long it took."""

    items: int
    took_s: float


def rate(workers: Workers, cycles: int, seed: int) -> float:
    """Items a second over `cycles` runs of every slot."""
    draw = random.Random(seed)
    return sum(_slot(workers, cycles, draw) for _ in range(workers.slots))


def _slot(w: Workers, cycles: int, draw: random.Random) -> float:
    """One slot: a run starts at a tick, and the next one at the first tick after it has ended."""
    phase = draw.random() * w.poll_s
    clock, done = 0.0, 0
    for _ in range(cycles):
        start = math.ceil((clock - phase) / w.poll_s) * w.poll_s + phase
        run = _run(w, draw)
        done += run.items
        clock = start + run.took_s
    return done / clock


def _run(w: Workers, draw: random.Random) -> Run:
    slow = draw.uniform(
        0.7, 1.3
    )  # some hours are slower than others, which also keeps runs out of step with ticks
    return _run_at(w, slow, draw)


def _run_at(w: Workers, slow: float, draw: random.Random) -> Run:
    """A worker claims a batch when it holds nothing unstarted; `per_slot` handlers take from what it holds.

    It stops claiming when a handler's whole timeout might not fit any more, or its CPU is spent by count;
    what it holds unstarted by then goes back.
    """
    at_once = round(w.per_slot)
    free_at = [w.boot_s] * at_once
    heapq.heapify(free_at)
    deadline = w.boot_s + w.window_s
    held, claimed_at, begun, end = 0, w.boot_s, 0, w.boot_s
    while True:
        now = heapq.heappop(free_at)
        spent = w.cpu_items is not None and begun >= w.cpu_items
        late = now + w.timeout_s > deadline or now >= deadline
        if spent or (late and begun >= at_once):
            return Run(begun, max([end, now, *free_at]))
        if held == 0:
            claimed_at = max(claimed_at, now) + w.turn_s
            held = w.batch
        start = max(now, claimed_at)
        done = start + _duration(w, slow, draw)
        heapq.heappush(free_at, done)
        end = max(end, done)
        held -= 1
        begun += 1


def _duration(w: Workers, slow: float, draw: random.Random) -> float:
    """Around the typical duration, a quarter of it either way in the mean, never beyond the timeout."""
    d = slow * w.item_s * draw.lognormvariate(-0.03, 0.245)
    return min(d, w.timeout_s) if w.timeout_s else d


def starts(
    rate_per_s: float, item_s: float, linger_s: float, items: int, window_s: float, hours: float, seed: int
) -> float:
    """Workers started a second for requests of one item at random times, where one worker has room for all.

    It leaves when it has had nothing to do for `linger_s`, after `items`, or when its time to claim is over.
    """
    draw = random.Random(seed)
    now, started, born, last, had = 0.0, 0, -math.inf, -math.inf, items
    while now < hours * 3600:
        now += draw.expovariate(rate_per_s)
        if now > last + item_s + linger_s or had >= items or now > born + window_s:
            started, born, had = started + 1, now, 0
        last, had = now, had + 1
    return started / now
