"""What the table asks of a workload, one question a function.

`Workload.written` holds a key with all that is around it (`retry` beside `retry.max_attempts`), so the
top-level keys are asked for as they are.
"""

from __future__ import annotations

from orchestra.spec.model import EdgeHandler, HttpTrigger, Pattern, ScheduleTrigger, Workload

QUEUE_KEYS = frozenset(
    {
        "access",
        "alerts",
        "arrival",
        "batch_size",
        "concurrency",
        "dead_letter_queue",
        "debounce",
        "delay",
        "fan_out",
        "idempotency_key",
        "linger",
        "on_delete",
        "on_failure",
        "poll_interval",
        "queue",
        "rate_limit",
        "visibility_timeout",
    }
)
"""Keys that only a queue can honour: a schedule that writes one wants a queue."""

_WAIT_UNTIL_IGNORES = (QUEUE_KEYS | {"retry"}) - {"arrival", "fan_out"}
_EDGE_ONLY = frozenset({"linger"})


def writes_retry(workload: Workload) -> bool:
    """Whether `retry` stands in the file for this very workload."""
    return "retry" in workload.written


def queue_keys(workload: Workload) -> tuple[str, ...]:
    """The written keys that only a queue can honour, sorted."""
    return tuple(sorted(workload.written & QUEUE_KEYS))


def ignored_by_wait_until(workload: Workload) -> tuple[str, ...]:
    return tuple(sorted(workload.written & _WAIT_UNTIL_IGNORES))


def ignored_by_queue(workload: Workload) -> tuple[str, ...]:
    return () if has_edge(workload) else tuple(sorted(workload.written & _EDGE_ONLY))


def has_edge(workload: Workload) -> bool:
    """Whether any of its work runs in an Edge Function."""
    if workload.steps:
        return any(isinstance(s.handler, EdgeHandler) for s in workload.steps)
    return isinstance(workload.handler, EdgeHandler)


def has_door(workload: Workload) -> bool:
    """Whether HTTP requests start it."""
    return any(isinstance(t, HttpTrigger) for t in workload.triggers)


def only_http(workload: Workload) -> bool:
    return bool(workload.triggers) and all(isinstance(t, HttpTrigger) for t in workload.triggers)


def only_schedule(workload: Workload) -> bool:
    """Exactly one trigger, and it is a schedule."""
    return len(workload.triggers) == 1 and isinstance(workload.triggers[0], ScheduleTrigger)


def fans_out(workload: Workload) -> bool:
    return workload.fan_out is not None and workload.fan_out.max > 1


def batches(workload: Workload) -> bool:
    """A batch size above one, written for this very workload (the default of 10 is no wish)."""
    return workload.batch_size > 1 and "batch_size" in workload.written


def catches_up(workload: Workload, pattern: Pattern | None) -> bool:
    """Whether what it does on a schedule may have to be done later: scheduled SQL has retries and runs that wait for
    the one before, and a window to catch up in wants a look at what was missed."""
    schedules = [t for t in workload.triggers if isinstance(t, ScheduleTrigger)]
    return bool(schedules) and (
        pattern == "scheduled_sql" or any(t.catchup_window_ms is not None for t in schedules)
    )
