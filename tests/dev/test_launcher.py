"""The launcher's decisions under a clock that the test moves: backlogs, intervals, jumps, time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestra.dev.launcher import Job, Launcher

START = datetime(2026, 1, 5, 12, 0, 30, tzinfo=UTC)  # a Monday


def job(schedule: str, jobid: int = 1, *, active: bool = True, command: str = "select 1") -> Job:
    return Job(jobid, schedule, command, "postgres", "postgres", active)


class World:
    """A launcher, its jobs, and a clock."""

    def __init__(
        self, *jobs: Job, timezone: str = "GMT", max_running: int = 32, start: datetime = START
    ) -> None:
        self.now = start
        self.jobs = list(jobs)
        self.launcher = Launcher(self.now, ZoneInfo(timezone), max_running)
        self.launcher.refresh(self.jobs, self.now)

    def after(self, **elapsed: float) -> list[int]:
        """Let time pass; the ids of the jobs that start."""
        self.now += timedelta(**elapsed)
        self.launcher.refresh(self.jobs, self.now)
        self.launcher.advance(self.now)
        return [started.jobid for started in self.launcher.start_ready(self.now)]

    def minutes(self, count: int) -> int:
        """Starts within that many minutes, each run ending at once."""
        started = 0
        for _ in range(count):
            for jobid in self.after(minutes=1):
                started += 1
                self.launcher.finished(jobid)
        return started


def test_nothing_runs_in_the_minute_in_which_the_launcher_starts() -> None:
    assert World(job("* * * * *")).after(seconds=20) == []


def test_five_field_runs_queue_up_and_then_start_back_to_back() -> None:
    world = World(job("* * * * *"))
    assert world.after(minutes=1) == [1]
    for _ in range(4):
        assert world.after(minutes=1) == []  # still running: four more wait
    for _ in range(4):
        world.launcher.finished(1)
        assert world.after(seconds=1) == [1]
    world.launcher.finished(1)
    assert world.after(seconds=1) == []


def test_seconds_runs_wait_one_at_a_time() -> None:
    world = World(job("10 seconds"))
    assert world.after(seconds=9) == []
    assert world.after(seconds=1) == [1]
    assert world.after(seconds=60) == []
    world.launcher.finished(1)
    assert world.after(seconds=1) == [1]  # the one that waited
    world.launcher.finished(1)
    assert world.after(seconds=9) == []
    assert world.after(seconds=1) == [1]  # back to its pace


def test_a_new_job_is_due_one_interval_after_it_was_first_seen() -> None:
    world = World()
    world.after(seconds=100)
    world.jobs.append(job("5 seconds"))
    assert world.after(seconds=0) == []
    assert world.after(seconds=5) == [1]


def test_no_more_than_max_running_start() -> None:
    world = World(*(job("* * * * *", number) for number in range(1, 6)), max_running=2)
    assert world.after(minutes=1) == [1, 2]
    world.launcher.finished(1)
    assert world.after(seconds=1) == [3]


def test_an_inactive_job_loses_its_run_and_starts_afresh_when_active_again() -> None:
    world = World(job("10 seconds"))
    assert world.after(seconds=10) == [1]
    assert world.launcher.refresh([job("10 seconds", active=False)], world.now) == [1]
    assert world.launcher.refresh([job("10 seconds", active=False)], world.now) == []
    assert world.after(seconds=1) == []
    assert world.after(seconds=10) == [1]  # though the first run has not finished


def test_a_backlog_is_forgotten_when_the_job_goes_inactive() -> None:
    world = World(job("* * * * *"))
    world.minutes(1)
    world.after(minutes=3)
    world.launcher.refresh([], world.now)
    assert world.after(seconds=1) == []


def test_a_change_of_schedule_keeps_the_run_that_is_going_on() -> None:
    world = World(job("10 seconds"))
    world.after(seconds=10)
    assert world.launcher.refresh([job("20 seconds")], world.now) == []


def test_reboot_jobs_run_once_when_the_launcher_starts() -> None:
    world = World(job("@reboot"))
    assert world.after(seconds=0) == [1]
    world.launcher.finished(1)
    assert world.after(minutes=1) == []


def test_a_schedule_that_pg_cron_cannot_read_never_runs() -> None:
    assert World(job("nonsense")).minutes(3) == 0


def test_six_fields_run_every_thirty_minutes_and_not_seconds() -> None:
    assert World(job("*/30 * * * * *")).minutes(60) == 2


def test_a_short_gap_is_made_up_for_minute_by_minute() -> None:
    world = World(job("* * * * *"))
    assert world.after(minutes=4) == [1]
    pending = 0
    while True:
        world.launcher.finished(1)
        if not world.after(seconds=1):
            break
        pending += 1
    assert pending == 3


def test_a_long_gap_runs_wildcard_jobs_once_and_fixed_ones_that_were_missed() -> None:
    world = World(job("*/5 * * * *", 1), job("30 12 * * *", 2), start=START)
    assert world.after(minutes=60) == [1, 2]
    world.launcher.finished(1)
    world.launcher.finished(2)
    assert world.after(seconds=1) == []


def test_after_more_than_three_hours_nothing_is_made_up_for() -> None:
    assert World(job("30 12 * * *")).after(hours=5) == []


def test_a_clock_set_back_an_hour_does_not_repeat_fixed_times() -> None:
    world = World(job("31 12 * * *", 1), job("* * * * *", 2), start=START.replace(minute=30))
    assert world.after(minutes=1) == [1, 2]
    world.launcher.finished(1)
    world.launcher.finished(2)
    assert world.after(minutes=-60) == [2]
    world.launcher.finished(2)
    assert 1 not in world.after(minutes=60)


def test_fields_are_read_in_the_cron_time_zone() -> None:
    world = World(job("0 14 * * *"), timezone="Europe/Berlin", start=datetime(2026, 1, 5, 12, 59, tzinfo=UTC))
    assert world.minutes(1) == 1
    world = World(job("0 14 * * *"), start=datetime(2026, 1, 5, 12, 59, tzinfo=UTC))
    assert world.minutes(1) == 0
