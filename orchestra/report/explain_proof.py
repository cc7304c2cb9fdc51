"""The capacity proof of one workload: its arithmetic, and the verdict on what is expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestra.classify.model import Arithmetic, Capacity
from orchestra.report.explain_numbers import digits, rate, seconds, times
from orchestra.report.words import count


def rows(c: Capacity) -> Iterator[tuple[str, str]]:
    a = c.arithmetic
    if a is None:
        return
    yield "one item", _item(a)
    yield "one run", _run(a)
    yield "ceiling", _ceiling(a)
    yield from _verdict(c)


def _item(a: Arithmetic) -> str:
    kind = "typical" if a.item_is_typical else "longest, as no typical duration is given"
    share = f"{seconds(a.item_time_s)} = {seconds(a.item_s)} ({kind})"
    if a.per_slot != 1:
        share += f" / {digits(a.per_slot)} at once"
    return f"{share} + {seconds(a.turn_s)} a turn" + (f" / {a.batch} items" if a.batch != 1 else "")


def _run(a: Arithmetic) -> str:
    who = "a worker" if a.handler == "edge" else "a consumer job"
    if a.item_s > a.window_s:
        one = "one item" if a.items == 1 else f"{a.items} items at once"
        return f"{who} does {one}, longer than the {seconds(a.window_s)} that it plans with, and leaves"
    limit = "until half of its isolate's CPU is used" if a.bound == "cpu" else f"in {seconds(a.window_s)}"
    return f"{who} does {count(a.items, 'item')} {limit}"


def _ceiling(a: Arithmetic) -> str:
    work = f"{a.items:,} × {seconds(a.item_time_s)}"
    slots = f"{count(a.slots, 'slot')} × {count(a.items, 'item')}"
    rest = f"{seconds(a.boot_s)} boot + {seconds(a.wait_s)} to the next tick"
    return f"{rate(a.ceiling_per_s)} = {slots} / ({work} + {rest})"


def _verdict(c: Capacity) -> Iterator[tuple[str, str]]:
    if c.headroom is not None and c.arrival_per_s is not None:
        if c.headroom < 1:
            grows = rate(c.arrival_per_s - (c.ceiling_per_s or 0))
            verdict = f"{times(1 / c.headroom)} the ceiling: the queue grows by {grows}, for ever"
        else:
            verdict = f"{times(c.headroom)} below the ceiling"
        yield "arrival", f"{rate(c.arrival_per_s)}: {verdict}"
    if c.burst is not None:
        if c.drain_burst_s is None:
            yield "burst", f"{count(c.burst, 'item')}: never drained"
        else:
            meanwhile = ", more arriving meanwhile" if c.arrival_per_s else ""
            yield "burst", f"{count(c.burst, 'item')}: drained in {seconds(c.drain_burst_s)}{meanwhile}"


def latency(c: Capacity) -> str:
    """The worst wait, and what it is made of."""
    worst = seconds(c.latency_worst_s or 0)
    if c.arithmetic is None:
        return f"{worst}, the start included"
    start = f"{seconds(c.arithmetic.poll_s)} poll interval + {seconds(c.arithmetic.boot_s)} boot"
    behind = f" + last of {count(c.burst, 'item')} in the burst" if c.burst else ""
    if c.levels > 1:
        return f"{worst}: {c.levels} levels of steps, each {start}{behind} + the slowest chain"
    return f"{worst}: {start}{behind} + the longest item, when its wake-up is lost"


def as_json(c: Capacity) -> dict[str, Any]:
    a = c.arithmetic
    return {
        "ceiling_per_s": _rounded(c.ceiling_per_s),
        "arrival_per_s": c.arrival_per_s,
        "headroom": _rounded(c.headroom),
        "burst": c.burst,
        "drain_burst_s": _rounded(c.drain_burst_s),
        "latency_worst_s": _rounded(c.latency_worst_s),
        "lease_s": c.lease_s,
        "batch_span_s": c.batch_span_s,
        "levels": c.levels,
        "retry_span_s": _rounded(c.retry_span_s),
        "invocations_month": _rounded(c.invocations_month),
        "invocations_included": c.invocations_included,
        "arithmetic": None if a is None else _arithmetic(a),
    }


def _arithmetic(a: Arithmetic) -> dict[str, Any]:
    return {
        "handler": a.handler,
        "slots": a.slots,
        "per_slot": _rounded(a.per_slot),
        "item_s": a.item_s,
        "item_is_typical": a.item_is_typical,
        "turn_s": a.turn_s,
        "batch": a.batch,
        "item_time_s": _rounded(a.item_time_s),
        "window_s": a.window_s,
        "items": a.items,
        "bound": a.bound,
        "boot_s": a.boot_s,
        "poll_s": a.poll_s,
        "wait_s": _rounded(a.wait_s),
    }


def _rounded(x: float | None) -> float | None:
    """Six significant digits: the same on every machine."""
    return None if x is None else float(f"{x:.6g}")
