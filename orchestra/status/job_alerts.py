"""Cron failures, and above all those that the database hides.

`cron.job` says that a job is there, and its record of runs that they succeeded. Neither says that it was switched off,
sent to another database, given to another role, or that the launcher has not begun it since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from orchestra.report.spans import span
from orchestra.report.words import count
from orchestra.status.model import Alert, Job, Project, Snapshot
from orchestra.status.said import first_line, moment

OWN_FAILURE: Final = "the scheduled run of "
"""How `orchestra.fire` fails its job over a run that is told by its own name already."""
QUIET: Final = timedelta(minutes=3)
"""Without a sign of the housekeeping, which comes each minute."""


def of_jobs(found: Snapshot) -> Iterator[Alert]:
    for project in found.projects:
        jobs = [j for j in found.jobs if j.project == project.name]
        if not found.has_cron:
            continue
        if not project.sees_jobs:
            yield from _unseen(project, jobs, found.at)
            continue
        late = [j for j in jobs if _is_late(j, project, found)]
        running = [j for j in jobs if _could_run(j) and not j.is_schedule]
        for job in jobs:
            for kind, reason in _standing(job, found.database):
                yield _alert(job, kind, reason)
        # One thing that stopped all of them is one thing to repair.
        if len(late) > 1 and len(late) == len(running):
            yield Alert(project.name, None, "cron", _none_of(late, found.at))
            continue
        for job in late:
            yield _alert(job, "job_late", _late(job, found))


def _unseen(project: Project, jobs: Sequence[Job], at: datetime) -> Iterator[Alert]:
    """Of jobs that this role is not shown there is one sign: the housekeeping leaves a note each minute."""
    if _keeps_house(project, at) or not jobs or at - max(j.applied_at for j in jobs) < QUIET:
        return
    since = (
        f"for {span((at - project.kept_house_at).total_seconds())}"
        if project.kept_house_at
        else "for 11m or more"
    )
    yield Alert(
        project.name,
        None,
        "cron",
        f"its housekeeping, which comes each minute, has not run {since}: pg_cron does not run its jobs, or not as "
        "they were applied",
    )


def _keeps_house(project: Project, at: datetime) -> bool:
    return project.kept_house_at is not None and at - project.kept_house_at < QUIET


def _alert(job: Job, kind: str, reason: str) -> Alert:
    return Alert(job.project, job.workload, kind, f"cron job {job.name} {reason}", job.name)


def _could_run(job: Job) -> bool:
    return job.jobid is not None and job.active and job.here


def _standing(job: Job, database: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the job as it stands, the reason that counts most first and the rest left out."""
    if job.jobid is None:
        yield "job_missing", "is gone from cron.job, and what it did is done by nobody"
    elif not job.active:
        yield "job_inactive", "was switched off in cron.job (active = false); resume it with cron.alter_job"
    elif not job.here:
        yield (
            "job_elsewhere",
            f"runs in database {job.database}, and its work is in {database}: each of its runs fails there or does "
            "something else",
        )
    elif job.username != job.owner:
        yield "job_role", f"runs as role {job.username}, and the project belongs to {job.owner}"
    elif job.others:
        yield "job_twice", f"exists again under {', '.join(job.others)}, so its work is begun twice"
    elif not job.as_applied:
        yield (
            "job_changed",
            f"was changed by hand: it runs {job.schedule!r}, applied was {job.wanted_schedule!r}"
            if job.schedule != job.wanted_schedule
            else "was changed by hand: its command is another than was applied",
        )
    elif job.failing and not job.message.startswith((OWN_FAILURE, f"ERROR:  {OWN_FAILURE}")):
        times = "its last run" if job.failing == 1 else f"each of its last {job.failing:,} runs"
        yield "job_failed", f"failed in {times}: {first_line(job.message)}"


def _is_late(job: Job, project: Project, found: Snapshot) -> bool:
    """Whether the launcher should have begun it since `latest` and has not. What pg_cron no longer has a record of is
    no sign that nothing ran."""
    if not _could_run(job) or job.latest is None or job.is_schedule or job.running:
        return False
    if job.last_start is not None:
        return job.last_start < job.latest
    if job.applied_at > job.latest:
        return False
    if found.recorded_since is not None and found.recorded_since <= job.latest:
        return True
    # pg_cron keeps no record, or somebody emptied it: the housekeeping leaves a sign of its own.
    return not _keeps_house(project, found.at)


def _late(job: Job, found: Snapshot) -> str:
    assert job.latest is not None
    due = f"was due by {moment(job.latest)}"
    if job.last_start is None:
        return f"{due} and has not begun since it was applied, as far as pg_cron's record goes"
    return f"{due} and last began {span((found.at - job.last_start).total_seconds())} ago"


def _none_of(late: Sequence[Job], at: datetime) -> str:
    begun = [j.last_start for j in late if j.last_start is not None]
    since = f"for {span((at - max(begun)).total_seconds())}" if begun else "since they were applied"
    jobs = count(len(late), "cron job")
    return f"none of {jobs} that are due has begun {since}: the launcher of pg_cron does not run them"
