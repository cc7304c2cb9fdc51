from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orchestra.cli import options, pausing


@click.command("pause")
@pausing.arguments
@click.option("--wait", is_flag=True, help="Wait until what is in flight has ended.")
@click.option(
    "--timeout",
    type=options.Duration(),
    metavar="DURATION",
    help="With --wait: no longer than this, such as 10m; then the exit code is 1, and it stays paused.",
)
def command(
    specs: tuple[Path, ...],
    workloads: tuple[str, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    **how: Any,
) -> None:
    """Stop a project or some of its workloads: nothing new starts, what is running ends, messages are still taken in
    and wait. It is recorded who did it and why; orchestra plan leaves it so and reports it, until somebody resumes,
    accepts or reverts it.

    Exits with 0 when it is paused, with 1 when --wait's time is over and something is still in flight.

    \b
    Example:
      orchestra pause --env production --workload deliver-email --reason "the provider is down"
      orchestra pause --project shop --db "$DATABASE_URL" --auto-approve
    """
    pausing.turn(specs, workloads, project, db, environment, how, paused=True)
