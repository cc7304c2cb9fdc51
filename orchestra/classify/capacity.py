"""The capacity proof of one workload: what its pattern can do, held against what the spec expects."""

from __future__ import annotations

from math import ceil

from orchestra import platform as limits
from orchestra.classify import features, invocations, throughput
from orchestra.classify.budget import sql_budget_ms
from orchestra.classify.model import Arithmetic, Capacity
from orchestra.spec.model import Durations, EdgeHandler, Pattern, Platform, Retry, Workload


def prove(workload: Workload, platform: Platform, pattern: Pattern) -> Capacity:
    match pattern:
        case "queue":
            return _queue(workload, platform)
        case "wait_until":
            return Capacity(
                latency_worst_s=(limits.EDGE_BOOT_MS + workload.durations.max_ms) / 1_000,
                invocations_month=invocations.of_wait_until(workload),
                invocations_included=included_a_month(platform),
                arrival_per_s=workload.arrival.rate,
                burst=workload.arrival.burst,
            )
        case "scheduled_sql":
            retries = features.writes_retry(workload)
            return Capacity(
                latency_worst_s=(limits.CRON_BOOT_MS + workload.durations.max_ms) / 1_000,
                retry_span_s=retry_span_s(workload.retry) if retries else None,
                invocations_month=0.0,
                invocations_included=included_a_month(platform),
            )


def _queue(workload: Workload, platform: Platform) -> Capacity:
    numbers = arithmetic(workload, platform)
    rate, burst = workload.arrival.rate, workload.arrival.burst
    levels, path_ms = _critical_path(workload)
    spare = numbers.ceiling_per_s - (rate or 0)
    return Capacity(
        ceiling_per_s=numbers.ceiling_per_s,
        drain_burst_s=burst / spare if burst is not None and spare > 0 else None,
        latency_worst_s=_latency_worst_s(workload, numbers, levels, path_ms),
        lease_s=workload.visibility_timeout_ms / 1_000,
        retry_span_s=retry_span_s(workload.retry),
        invocations_month=invocations.of_queue(workload, lambda: numbers),
        invocations_included=included_a_month(platform),
        arrival_per_s=rate,
        burst=burst,
        batch_span_s=ceil(numbers.batch / numbers.per_slot) * _timeout_ms(workload) / 1_000,
        levels=levels,
        arithmetic=numbers,
    )


def arithmetic(workload: Workload, platform: Platform) -> Arithmetic:
    item = _item(workload)
    typical = item.typical_ms is not None
    item_ms = item.typical_ms if item.typical_ms is not None else item.max_ms
    if not features.has_edge(workload):
        return throughput.ceiling(
            throughput.sql_workers(
                limit=workload.concurrency.limit,
                item_ms=item_ms,
                item_is_typical=typical,
                timeout_ms=_timeout_ms(workload),
                poll_ms=workload.poll_interval_ms,
                statement_timeout_ms=sql_budget_ms(platform),
            )
        )
    return throughput.ceiling(
        throughput.edge_workers(
            limit=workload.concurrency.limit,
            per_worker=workload.concurrency.per_worker,
            batch=workload.batch_size,
            item_ms=item_ms,
            item_is_typical=typical,
            timeout_ms=_timeout_ms(workload),
            cpu_ms=item.cpu_ms,
            poll_ms=workload.poll_interval_ms,
            wall_clock_ms=limits.EDGE[platform.plan].wall_clock_ms,
        )
    )


def retry_span_s(retry: Retry) -> float:
    """Seconds from the first failure to the last attempt when nothing but backoff passes, each wait at its
    longest (full jitter halves it on average)."""
    wait, span = float(retry.backoff.initial_ms), 0.0
    for _ in range(retry.max_attempts - 1):
        span += min(wait, retry.backoff.max_ms)
        wait = min(wait * retry.backoff.factor, retry.backoff.max_ms)
    return span / 1_000


def _latency_worst_s(workload: Workload, numbers: Arithmetic, levels: int, path_ms: int) -> float:
    """What comes last in the burst, just after a tick, its wake lost; in pipelines once a level."""
    position = (workload.arrival.burst or 0) / numbers.ceiling_per_s
    return levels * (numbers.poll_s + numbers.boot_s) + position + path_ms / 1_000


def _critical_path(workload: Workload) -> tuple[int, int]:
    """Steps on the longest chain, and the time of the slowest one. Cycles (E2xx refuses them) are cut."""
    if not workload.steps:
        return 1, workload.durations.max_ms
    steps = {s.name: s for s in workload.steps}
    seen: dict[str, tuple[int, int]] = {}

    def reach(name: str) -> tuple[int, int]:
        if name not in steps:
            return 0, 0
        if name not in seen:
            seen[name] = (0, 0)
            step = steps[name]
            before = [reach(d) for d in (*step.depends_on, *((step.map,) if step.map else ()))]
            levels = 1 + max((b[0] for b in before), default=0)
            seen[name] = (levels, step.durations.max_ms + max((b[1] for b in before), default=0))
        return seen[name]

    reached = [reach(name) for name in steps]
    return max(r[0] for r in reached), max(r[1] for r in reached)


def _item(workload: Workload) -> Durations:
    """What one item takes: for a pipeline its slowest step, of the kind that the ceiling is reckoned for."""
    if not workload.steps:
        return workload.durations
    edge = features.has_edge(workload)
    kind = [s.durations for s in workload.steps if isinstance(s.handler, EdgeHandler) == edge]
    return max(kind, key=lambda d: d.typical_ms if d.typical_ms is not None else d.max_ms)


def _timeout_ms(workload: Workload) -> int:
    return workload.timeout_ms or _item(workload).max_ms


def invocations_a_month(workload: Workload, platform: Platform, pattern: Pattern) -> float | None:
    """What `prove` says of them, alone."""
    match pattern:
        case "queue":
            return invocations.of_queue(workload, lambda: arithmetic(workload, platform))
        case "wait_until":
            return invocations.of_wait_until(workload)
        case "scheduled_sql":
            return 0.0


def included_a_month(platform: Platform) -> float | None:
    """The invocations that the plan includes, None where there are none to count."""
    return limits.EDGE[platform.plan].invocations_month if platform.provider == "supabase" else None
