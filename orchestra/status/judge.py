"""What of a snapshot calls for somebody: each alert by a stable word, its reason in words and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from orchestra.ir import cron
from orchestra.report.spans import span
from orchestra.report.words import count
from orchestra.status.job_alerts import of_jobs
from orchestra.status.model import COUNTED, Alert, Snapshot, Workload
from orchestra.status.said import first_line, moment

STALLED_AFTER: Final = 300.0
"""Seconds for which messages wait and no worker comes; ten poll intervals, where those are longer."""
MISSED_CALLS: Final = 2
"""Calls of a function after which no worker came. One can be lost."""


def judge(found: Snapshot) -> Snapshot:
    """The same snapshot with its alerts, each workload's before those of the project's jobs."""
    alerts = [a for w in found.workloads for a in _of(w, found)]
    return replace(found, alerts=tuple(alerts) + tuple(of_jobs(found)))


def _of(w: Workload, found: Snapshot) -> Iterator[Alert]:
    for kind, reason in _reasons(w, found.at):
        yield Alert(w.project, w.name, kind, reason)
    if w.pattern == "queue" and w.waiting and not w.paused:
        if (said := _call(w)) is not None:
            job = _tick(w, found)
            hidden = (
                f"; cron job {job}, which makes these calls, shows as succeeded all the same" if job else ""
            )
            yield Alert(w.project, w.name, "wake", said + hidden, job)
        elif _is_stalled(w):
            waits = f"{waiting_in_words(w)} wait{'s' if w.waiting == 1 else ''}"
            yield Alert(
                w.project,
                w.name,
                "stalled",
                f"{waits}, the oldest for {span(w.oldest_waiting or 0)}, and no worker is there",
            )


def _reasons(w: Workload, at: datetime) -> Iterator[tuple[str, str]]:
    if w.fault is not None:
        yield "unreadable", f"its queue cannot be read: {w.fault}"
    yield from _limits(w)
    yield from _failures(w)
    if w.runs is not None:
        yield from _schedule(w, at)


def _limits(w: Workload) -> Iterator[tuple[str, str]]:
    if "max_depth" in w.beyond and w.max_depth is not None:
        yield "max_depth", f"{waiting_in_words(w)} could begin, more than max_depth {w.max_depth:,}"
    if "max_age" in w.beyond and w.max_age is not None and w.oldest_waiting is not None:
        yield (
            "max_age",
            f"the oldest message has been waiting for {span(w.oldest_waiting)}, longer than max_age {span(w.max_age)}",
        )


def waiting_in_words(w: Workload) -> str:
    """`12 messages`, or what is known of more than are counted."""
    number = w.waiting or 0
    if number < COUNTED:
        return count(number, "message")
    return f"{COUNTED:,} messages or more (about {w.depth or COUNTED:,} in the queue)"


def _failures(w: Workload) -> Iterator[tuple[str, str]]:
    if not w.failed_lately:
        return
    number = count(w.failed_lately, "call" if w.pattern == "wait_until" else "message")
    more = " or more" if w.failed_lately >= COUNTED else ""
    said = f"; the last error: {first_line(w.last_error)}" if w.last_error else ""
    if w.pattern == "wait_until":
        yield "failed", f"{number}{more} failed in the last hour{said}"
    else:
        yield "dead_letters", f"{number}{more} went to the dead letters in the last hour{said}"


def _schedule(w: Workload, at: datetime) -> Iterator[tuple[str, str]]:
    assert w.runs is not None
    runs = w.runs
    if runs.missed is not None:
        late = span((at - runs.missed).total_seconds())
        yield "missed", f"its run of {moment(runs.missed)} is {late} late: nothing has dealt with it"
    if w.pattern == "scheduled_sql" and runs.last_status in ("failed", "lost") and runs.last_at is not None:
        again = f"; it is tried again at {moment(runs.retry_at)}" if runs.retry_at else ""
        yield (
            "run_failed",
            f"its run of {moment(runs.last_at)} {'failed' if runs.last_status == 'failed' else 'was lost'}: "
            f"{first_line(runs.last_error)}{again}",
        )


def _call(w: Workload) -> str | None:
    """What became of the calls that should wake its function, if that was nothing."""
    if w.wake_error is not None:
        return f"the last call of its function came to nothing: {first_line(w.wake_error)}"
    if w.wakes_missed >= MISSED_CALLS:
        return f"no worker came after {count(w.wakes_missed, 'call')} of its function"
    return None


def _tick(w: Workload, found: Snapshot) -> str | None:
    label = cron.label(round((w.poll_interval or 0) * 1_000))
    names = [j.name for j in found.jobs if j.project == w.project and j.name.endswith(f":tick.{label}")]
    return names[0] if names else None


def _is_stalled(w: Workload) -> bool:
    """A rate limit may well keep messages waiting for that long."""
    after = max(STALLED_AFTER, 10 * (w.poll_interval or 0))
    return not w.workers and not w.rate_limited and (w.oldest_waiting or 0) > after
