"""What a status says of one workload, in words: numbers that are estimates are told as such."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from orchestra.report.history_words import plain
from orchestra.report.spans import rate, short, span
from orchestra.report.words import count

if TYPE_CHECKING:
    from orchestra.status.model import Pause, Project, Snapshot, Workload

_COUNTED: Final = 10_000
_OLD_SNAPSHOT: Final = 300.0
_VERSION: Final = 12
"""Digits of a contract that are enough to tell it by."""


def depth(w: Workload) -> str:
    """`1,204`; `~1,300,000` is the server's estimate."""
    if w.depth is None:
        return "-"
    return f"~{w.depth:,}" if w.depth_is_estimate else f"{w.depth:,}"


def waiting(w: Workload) -> str:
    """`1,204`; `≥10,000` where no more are counted."""
    if w.waiting is None:
        return "-"
    return f"≥{w.waiting:,}" if w.waiting >= _COUNTED else f"{w.waiting:,}"


def most(number: int) -> str:
    """A count that ends at 10,000."""
    return f"≥{number:,}" if number >= _COUNTED else f"{number:,}"


def oldest(w: Workload) -> str:
    return short(w.oldest_waiting) if w.oldest_waiting is not None else "-"


def busy(w: Workload) -> str:
    """Messages that workers hold, or calls that are worked off."""
    if w.pattern == "wait_until":
        return most(w.calls_going_on)
    return f"{w.in_flight:,}" if w.pattern == "queue" else "-"


def workers(w: Workload) -> str:
    if w.paused:
        return "paused"
    return f"{w.workers}/{w.slots}" if w.slots is not None else "-"


def came(w: Workload) -> str:
    return _rate(w, w.traffic.came if w.traffic else None)


def ended(w: Workload) -> str:
    return _rate(w, w.traffic.ended if w.traffic else None)


def _rate(w: Workload, number: int | None) -> str:
    if w.traffic is None or number is None or w.pattern == "scheduled_sql":
        return "-"
    return rate(number, w.traffic.over)


def failing(w: Workload) -> str:
    """The share of what ended that was given up."""
    if w.traffic is None or w.traffic.failed is None or not w.traffic.ended:
        return "-"
    share = 100 * w.traffic.failed / w.traffic.ended
    return "0%" if not share else "<1%" if share < 1 else f"{share:.0f}%"


def last(w: Workload, at: datetime) -> str:
    if w.runs is None or w.runs.last_at is None:
        return "-"
    ago = short((at - w.runs.last_at).total_seconds())
    told = w.runs.last_status
    return f"{ago} ago" if told in ("done", "enqueued") else f"{told} {ago} ago"


def following(w: Workload, at: datetime) -> str:
    if w.runs is None or w.runs.next_at is None:
        return "-"
    return f"in {short((w.runs.next_at - at).total_seconds())}"


def paused_by(pause: Pause | None, at: datetime) -> str:
    if pause is None:
        return "paused, as it was applied"
    who = plain(f"role {pause.role}")
    who = f"{plain(pause.actor)} ({who})" if pause.actor else who
    why = f" ({plain(pause.reason)})" if pause.reason else ""
    return f"paused by {who} {span((at - pause.at).total_seconds())} ago{why}"


def title(found: Snapshot) -> str:
    """`Project shop (production) in database postgres`."""
    if len(found.projects) == 1:
        (project,) = found.projects
        environment = f" ({plain(project.environment)})" if project.environment else ""
        return f"Project {plain(project.name)}{environment} in database {plain(found.database)}"
    return f"{count(len(found.projects), 'project')} in database {plain(found.database)}"


def windows(found: Snapshot) -> str:
    """What the rates are of."""
    own = [w.traffic.over for w in found.workloads if w.traffic and w.traffic.own]
    if own:
        return f"Rates of the last {span(max(own))}, from the looks of this command."
    noted = [w.traffic.over for w in found.workloads if w.traffic and w.pattern == "queue"]
    queues = any(w.pattern == "queue" for w in found.workloads)
    others = any(w.pattern == "wait_until" for w in found.workloads)
    if noted or (others and not queues):
        return f"Rates of the last {span(max(noted, default=300))}."
    if others:
        return "Rates of the last 5m; those of queues come with the next note of the housekeeping."
    if queues:
        return "No rates yet: the housekeeping notes the traffic of queues each minute."
    return ""


def notes(found: Snapshot) -> Iterator[str]:
    """What is no alert and worth a line."""
    for project in found.projects:
        yield from _of_project(project, found)
    alike: dict[str, list[str]] = {}
    for w in found.workloads:
        for said in _of_workload(w, found):
            alike.setdefault(said, []).append(name(w, found))
    for said, names in alike.items():
        yield f"{', '.join(names)}: {said}"
    if found.oldest_snapshot is not None and found.oldest_snapshot > _OLD_SNAPSHOT:
        yield (
            f"A transaction has been open for {span(found.oldest_snapshot)}: dead rows of busy queues are kept for it, "
            "and every look at them gets slower."
        )
    if found.calls is not None and found.calls.failed:
        yield (
            f"pg_net: {count(found.calls.failed, 'call')} of {found.calls.answers:,} in the last 15 minutes failed, "
            f"whoever made them ({plain(found.calls.last_error or 'no answer')}); the cron jobs that did show as "
            "succeeded."
        )


def name(w: Workload, found: Snapshot) -> str:
    return plain(w.name if len(found.projects) == 1 else f"{w.project}/{w.name}")


def _of_project(project: Project, found: Snapshot) -> Iterator[str]:
    if project.paused:
        said = paused_by(project.pause, found.at)
        yield f"Project {plain(project.name)} is {said}: nothing of it begins."
    if not found.has_cron:
        yield "There is no pg_cron in this database, so nothing runs by itself."
    elif not project.sees_jobs:
        role, name = plain(found.role), plain(project.name)
        yield f"Role {role} is not shown the cron jobs of project {name}: only their owner is."


def _of_workload(w: Workload, found: Snapshot) -> Iterator[str]:
    project = next((p for p in found.projects if p.name == w.project), None)
    if w.paused and (w.pause is not None or project is None or not project.paused):
        yield paused_by(w.pause, found.at) + "."
    if w.handler == "edge" and w.wanted is not None and w.deployed != w.wanted:
        yield (
            f"version {plain(w.wanted)[:_VERSION]} of its code is wanted and "
            + ("none was seen yet" if w.deployed is None else f"{plain(w.deployed)[:_VERSION]} was seen last")
            + ": deploy its function."
        )
    if w.wake_error is not None and (w.paused or not w.waiting):
        yield f"the last call of its function came to nothing: {plain(w.wake_error)}"
    if w.retrying:
        yield f"{most(w.retrying)} of its messages failed and will be tried again."
    if w.dropped:
        yield f"its rate limit dropped {w.dropped:,} messages so far."
    if w.last_error and w.dead_letters and not w.failed_lately and w.last_failed_at is not None:
        ago = span((found.at - w.last_failed_at).total_seconds())
        yield f"last error, {ago} ago: {plain(w.last_error.strip().splitlines()[0])}"
