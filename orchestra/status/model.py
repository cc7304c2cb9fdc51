"""What a look at a database found. Times are the server's, durations seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

COUNTED: Final = 10_000
"""`orchestra.status` counts no further."""


@dataclass(frozen=True, slots=True)
class Pause:
    """What the operator log says of who paused, and why. The actor is what a command line was told, and proves
    nothing."""

    at: datetime
    role: str
    actor: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """Within `over` seconds: what came in, what ended, and what of it was given up. `own`: from the looks of this
    process, not from the notes that the database keeps. `came` of scheduled SQL are its runs."""

    came: int
    ended: int
    failed: int | None
    over: float
    own: bool = False


@dataclass(frozen=True, slots=True)
class Runs:
    """The schedules of a workload together. `last_status` is that of scheduled SQL (`running done failed lost`), else
    how the last due time was dealt with (`enqueued skipped paused buffered`). `missed` is a due time that nobody dealt
    with, nor any later one."""

    next_at: datetime | None
    last_at: datetime | None
    last_status: str | None
    last_error: str | None
    retry_at: datetime | None
    missed: datetime | None


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of `orchestra.status`, which says what the fields mean, with its limits and its schedules."""

    project: str
    name: str
    pattern: str
    handler: str
    paused: bool
    pause: Pause | None
    depth: int | None
    depth_is_estimate: bool
    waiting: int | None
    oldest_waiting: float | None
    in_flight: int
    workers: int
    slots: int | None
    retrying: int
    runs_going_on: int
    calls_going_on: int
    dead_letters: int
    failed_lately: int
    last_failed_at: datetime | None
    last_error: str | None
    traffic: Traffic | None
    came_ever: int | None
    gone_ever: int | None
    front: int | None
    wanted: str | None
    deployed: str | None
    last_wake_at: datetime | None
    wakes_missed: int
    wake_error: str | None
    dropped: int
    beyond: tuple[str, ...]
    max_depth: int | None
    max_age: float | None
    poll_interval: float | None
    rate_limited: bool
    fault: str | None
    runs: Runs | None


@dataclass(frozen=True, slots=True)
class Job:
    """A cron job that an apply made, as pg_cron has it now. `jobid` None: it has none of that name. `latest` is when it
    should have begun again by now at the latest, None where that cannot be told; `failing` counts its last runs back to
    the one that succeeded. Of runs that are no longer in pg_cron's own record nothing is known."""

    project: str
    name: str
    workload: str | None
    is_schedule: bool
    owner: str
    applied_at: datetime
    wanted_schedule: str | None
    jobid: int | None
    schedule: str | None
    as_applied: bool
    active: bool
    here: bool
    database: str | None
    username: str | None
    others: tuple[str, ...]
    latest: datetime | None
    last_start: datetime | None
    running: bool
    failing: int
    message: str


@dataclass(frozen=True, slots=True)
class Project:
    name: str
    environment: str | None
    paused: bool
    pause: Pause | None
    kept_house_at: datetime | None
    """When the housekeeping last ran, up to eleven minutes ago."""
    sees_jobs: bool
    """Whether the role that looks is shown the project's cron jobs at all."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that calls for somebody: `kind` is a stable word (docs/status.md), `reason` says it with its numbers.
    `workload` None: it is about the project."""

    project: str
    workload: str | None
    kind: str
    reason: str
    job: str | None = None


@dataclass(frozen=True, slots=True)
class Calls:
    """pg_net's answers of the last 15 minutes, whoever asked, at most the newest 1,000. `queued` have not left yet."""

    answers: int
    failed: int
    queued: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One point in time of one database. `recorded_since` is as far back as pg_cron's record of runs was read."""

    at: datetime
    database: str
    role: str
    projects: tuple[Project, ...]
    workloads: tuple[Workload, ...]
    jobs: tuple[Job, ...]
    recorded_since: datetime | None
    has_cron: bool
    calls: Calls | None
    oldest_snapshot: float | None
    alerts: tuple[Alert, ...] = ()
