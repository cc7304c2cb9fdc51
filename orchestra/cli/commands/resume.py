from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orchestra.cli import pausing


@click.command("resume")
@pausing.arguments
def command(
    specs: tuple[Path, ...],
    workloads: tuple[str, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    **how: Any,
) -> None:
    """Let a project or some of its workloads go on: what waits starts at the next tick. Due times that fell into the
    pause are not made up for.

    \b
    Example:
      orchestra resume --env production --workload deliver-email
      orchestra resume --project shop --db "$DATABASE_URL" --auto-approve
    """
    pausing.turn(specs, workloads, project, db, environment, how, paused=False)
