"""The status in Prometheus' text exposition format, 0.0.4: counters end in `_total`, times are in seconds.

A figure that is not known has no sample; a database that could not be read has `orchestra_up 0` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from orchestra.status.model import Job, Project, Snapshot, Workload
    from orchestra.status.source import Look

Number = float | int | bool | None
_Sample = tuple[dict[str, str], Number]

_OF_WORKLOADS: Final[tuple[tuple[str, str, str, Callable[[Workload], Number]], ...]] = (
    ("queue_messages", "gauge", "Messages in the queue; above 10,000 an estimate.", lambda w: w.depth),
    (
        "queue_messages_estimated",
        "gauge",
        "1 where orchestra_queue_messages is the server's estimate.",
        lambda w: w.depth_is_estimate if w.depth is not None else None,
    ),
    (
        "queue_waiting_messages",
        "gauge",
        "Messages that could begin now, counted up to 10,000.",
        lambda w: w.waiting,
    ),
    (
        "queue_oldest_waiting_seconds",
        "gauge",
        "For how long the oldest message that could begin has been able to; 0 where none waits.",
        lambda w: (w.oldest_waiting or 0.0) if w.waiting is not None else None,
    ),
    (
        "queue_enqueued_messages_total",
        "counter",
        "Rows that came into the queue, since the server began to count.",
        lambda w: w.came_ever,
    ),
    (
        "queue_removed_messages_total",
        "counter",
        "Rows that left the queue: done, given up or taken out.",
        lambda w: w.gone_ever,
    ),
    (
        "in_flight_messages",
        "gauge",
        "Messages that workers hold.",
        lambda w: w.in_flight if w.pattern == "queue" else None,
    ),
    (
        "retrying_messages",
        "gauge",
        "Messages that failed and will be tried again.",
        lambda w: w.retrying if w.pattern == "queue" else None,
    ),
    ("workers", "gauge", "Workers that are there.", lambda w: w.workers),
    ("worker_slots", "gauge", "Workers that may be there at once.", lambda w: w.slots),
    ("runs_going_on", "gauge", "Runs that have not ended.", lambda w: w.runs_going_on),
    (
        "calls_going_on",
        "gauge",
        "Accepted calls that are worked off.",
        lambda w: w.calls_going_on if w.pattern == "wait_until" else None,
    ),
    (
        "dead_letters",
        "gauge",
        "Dead letters that were not sent again, counted up to 10,000.",
        lambda w: w.dead_letters if w.pattern == "queue" else None,
    ),
    (
        "failed_last_hour",
        "gauge",
        "Messages given up and calls failed in the last hour.",
        lambda w: w.failed_lately,
    ),
    (
        "last_failure_timestamp_seconds",
        "gauge",
        "When something last failed for good.",
        lambda w: _epoch(w.last_failed_at),
    ),
    ("paused", "gauge", "1 where nothing of the workload begins.", lambda w: w.paused),
    (
        "contract_deployed",
        "gauge",
        "1 where the version of its code that was last seen is the wanted one.",
        lambda w: w.deployed == w.wanted if w.wanted is not None else None,
    ),
    (
        "wakes_missed",
        "gauge",
        "Calls of its function in a row after which no worker came.",
        lambda w: w.wakes_missed if w.handler == "edge" and w.pattern == "queue" else None,
    ),
    (
        "rate_limit_dropped_messages_total",
        "counter",
        "Messages that its rate limit dropped.",
        lambda w: w.dropped if w.rate_limited else None,
    ),
    (
        "last_run_timestamp_seconds",
        "gauge",
        "When its schedule last began.",
        lambda w: _epoch(w.runs.last_at) if w.runs else None,
    ),
    (
        "last_run_failed",
        "gauge",
        "1 where the last run of its schedule failed or was lost.",
        lambda w: w.runs.last_status in ("failed", "lost") if w.runs and w.runs.last_status else None,
    ),
    (
        "next_run_timestamp_seconds",
        "gauge",
        "When its schedule is due.",
        lambda w: _epoch(w.runs.next_at) if w.runs else None,
    ),
)
_OF_JOBS: Final[tuple[tuple[str, str, str, Callable[[Job], Number]], ...]] = (
    ("cron_job_active", "gauge", "1 where the cron job is there and switched on.", lambda j: j.active),
    ("cron_job_failing_runs", "gauge", "Runs in a row that failed, up to the last.", lambda j: j.failing),
    (
        "cron_job_last_start_timestamp_seconds",
        "gauge",
        "When pg_cron last began it.",
        lambda j: _epoch(j.last_start),
    ),
)
_OF_PROJECTS: Final[tuple[tuple[str, str, str, Callable[[Project], Number]], ...]] = (
    ("project_paused", "gauge", "1 where nothing of the project begins.", lambda p: p.paused),
    (
        "kept_house_timestamp_seconds",
        "gauge",
        "When the project's housekeeping last ran.",
        lambda p: _epoch(p.kept_house_at),
    ),
)


def render(looks: Sequence[Look], *, several: bool) -> str:
    """`several`: every sample says of which environment it is."""
    labelled = [({"environment": look.name} if several else {}, look) for look in looks]
    seen = [(labels, look.found) for labels, look in labelled if look.found is not None]
    lines = list(
        _family(
            "up",
            "gauge",
            "1 where the database could be read.",
            [(dict(b), look.fault is None) for b, look in labelled],
        )
    )
    lines += _family(
        "status_timestamp_seconds",
        "gauge",
        "The server's time of these figures.",
        [(dict(b), _epoch(s.at)) for b, s in seen],
    )
    lines += _family("alert", "gauge", "1 for each alert that fires.", list(_alerts(seen)))
    lines += _family(
        "alerts",
        "gauge",
        "How many alerts of the project fire.",
        [
            ({**b, "project": p.name}, sum(a.project == p.name for a in s.alerts))
            for b, s in seen
            for p in s.projects
        ],
    )
    for name, kind, text, of_project in _OF_PROJECTS:
        lines += _family(
            name, kind, text, [({**b, "project": p.name}, of_project(p)) for b, s in seen for p in s.projects]
        )
    for name, kind, text, of_workload in _OF_WORKLOADS:
        lines += _family(
            name,
            kind,
            text,
            [
                ({**b, "project": w.project, "workload": w.name}, of_workload(w))
                for b, s in seen
                for w in s.workloads
            ],
        )
    for name, kind, text, of_job in _OF_JOBS:
        lines += _family(
            name,
            kind,
            text,
            [({**b, "project": j.project, "job": j.name}, of_job(j)) for b, s in seen for j in s.jobs],
        )
    lines += _family(
        "oldest_snapshot_seconds",
        "gauge",
        "For how long the oldest transaction of the server has kept dead rows.",
        [(dict(b), s.oldest_snapshot or 0.0) for b, s in seen],
    )
    return "\n".join(lines) + "\n"


def _alerts(seen: Sequence[tuple[dict[str, str], Snapshot]]) -> Iterator[_Sample]:
    """One sample for each of a kind, however many jobs it is about."""
    for base, found in seen:
        for key in dict.fromkeys((a.project, a.workload or "", a.kind) for a in found.alerts):
            project, workload, kind = key
            yield {**base, "project": project, "workload": workload, "kind": kind}, 1


def _family(name: str, kind: str, text: str, samples: Sequence[_Sample]) -> Iterator[str]:
    known = [(labels, value) for labels, value in samples if value is not None]
    if not known:
        return
    yield f"# HELP orchestra_{name} {text}"
    yield f"# TYPE orchestra_{name} {kind}"
    for labels, value in known:
        said = ",".join(f'{label}="{_escaped(of)}"' for label, of in labels.items())
        yield f"orchestra_{name}{'{' + said + '}' if said else ''} {_number(value)}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float | int | bool) -> str:
    return repr(float(value)) if isinstance(value, float) else str(int(value))


def _epoch(at: datetime | None) -> float | None:
    return at.timestamp() if at is not None else None
