"""The decisions of pg_cron's launcher, without a clock, a connection or a thread.

It counts the runs that are due, says which may start, and notices which runs lost their job. Who calls it
passes the time in and does the work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from orchestra.dev.cron_schedule import AtReboot, Calendar, Every, Schedule, parse

MINUTE = timedelta(minutes=1)
SMALL_JUMP = 5  # minutes the clock may go forward with every missed run made up for
LARGE_JUMP = 3 * 60  # minutes; from here on, either way, nothing is made up for


@dataclass(frozen=True)
class Job:
    """A row of cron.job."""

    jobid: int
    schedule: str
    command: str
    database: str
    username: str
    active: bool


@dataclass
class _Task:
    """What the launcher knows of a job between turns."""

    job: Job
    schedule: Schedule | None
    last_start: datetime  # of a run; at first, when the job was first seen
    pending: int = 0
    running: bool = False


class Launcher:
    """The state of one launcher. `now` is always an aware datetime."""

    def __init__(self, now: datetime, timezone: tzinfo, max_running: int = 32) -> None:
        self._timezone = timezone
        self._max_running = max_running
        self._last_minute = _minute_of(now)
        self._tasks: dict[int, _Task] = {}
        self._booting = True

    def refresh(self, jobs: Iterable[Job], now: datetime) -> list[int]:
        """Take over the current rows of cron.job; the ids of runs whose job is gone or inactive.

        Such a run is forgotten here, so the job starts afresh, even beside the old run, when it is active
        again.
        """
        active = {job.jobid: job for job in jobs if job.active}
        orphans = [jobid for jobid, task in self._tasks.items() if jobid not in active and task.running]
        self._tasks = {jobid: task for jobid, task in self._tasks.items() if jobid in active}
        for jobid, job in active.items():
            task = self._tasks.get(jobid)
            if task is None:
                self._tasks[jobid] = _Task(job, parse(job.schedule), now)
            elif task.job != job:
                task.job, task.schedule = job, parse(job.schedule)
        return orphans

    def advance(self, now: datetime) -> None:
        """Count the runs that have become due."""
        for task in self._tasks.values():
            match task.schedule:
                case AtReboot() if self._booting:
                    task.pending += 1
                case Every(seconds) if now - task.last_start >= timedelta(seconds=seconds):
                    task.pending = 1  # at most one waits, however long the run before takes
                case _:
                    pass
        self._booting = False

        minute = _minute_of(now)
        passed = (minute - self._last_minute) // MINUTE
        if passed == 0:
            return
        for task in self._tasks.values():
            if isinstance(task.schedule, Calendar):
                task.pending += self._due_runs(task.schedule, minute, passed)
        if passed > 0 or passed <= -LARGE_JUMP:
            # After a small jump back, fixed times wait until the clock has caught up.
            self._last_minute = minute

    def _due_runs(self, schedule: Calendar, minute: datetime, passed: int) -> int:
        """Runs due between the last minute seen and this one: Vixie cron's rules for a clock that jumps."""
        each = [self._last_minute + MINUTE * step for step in range(1, passed + 1)]
        if 0 < passed <= SMALL_JUMP:
            return sum(self._is_due(schedule, at) for at in each)
        if SMALL_JUMP < passed <= LARGE_JUMP and not schedule.wild:
            return sum(self._is_due(schedule, at) for at in each)
        if -LARGE_JUMP < passed < 0 and not schedule.wild:
            return 0
        return int(self._is_due(schedule, minute))

    def _is_due(self, schedule: Calendar, at: datetime) -> bool:
        return schedule.is_due(at.astimezone(self._timezone))

    def start_ready(self, now: datetime) -> list[Job]:
        """The jobs to start now, each counted as running until `finished`."""
        running = sum(task.running for task in self._tasks.values())
        ready: list[Job] = []
        for task in self._tasks.values():
            if running + len(ready) >= self._max_running:
                break
            if task.pending > 0 and not task.running:
                task.pending -= 1
                task.running = True
                task.last_start = now
                ready.append(task.job)
        return ready

    def finished(self, jobid: int) -> None:
        """The run of this job has ended; the next that waits may start."""
        if jobid in self._tasks:
            self._tasks[jobid].running = False


def _minute_of(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)
