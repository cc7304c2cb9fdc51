"""Schedules that are due when a test wants it: by an earlier beginning, never by another clock."""

from __future__ import annotations

from engines import Engine


def run_job(engine: Engine, name: str) -> None:
    """One run of a cron job, now: on a connection of its own, as the job's command, and nothing else."""
    [(command,)] = engine.execute("select command from cron.job where jobname = %s", [name])
    engine.execute(command)


def pretend_it_is_older(engine: Engine, workload: str) -> None:
    """A schedule never fires for a time before it was there."""
    engine.execute(
        "update orchestra.schedule set since = now() - interval '2 days' where workload = %s", [workload]
    )


def pretend_it_was_missed(engine: Engine, workload: str) -> None:
    """Its last due time, whenever in the last day that was, is made up for: of a day with 25 hours too."""
    engine.execute(
        "update orchestra.schedule set catchup_window_ms = 26 * 3600000 where workload = %s", [workload]
    )
    pretend_it_is_older(engine, workload)
