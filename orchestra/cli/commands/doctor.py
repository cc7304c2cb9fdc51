from __future__ import annotations

import sys
from pathlib import Path

import click

from orchestra.cli import console, options


@click.command("doctor")
@options.specs()
@options.database
@click.option("--no-network", is_flag=True, help="Ask nothing but the database: no Edge Function.")
@options.output_format("text", "json")
def command(
    specs: tuple[Path, ...], db: str | None, environment: str | None, no_network: bool, form: str
) -> None:
    """Prove every prerequisite of background work, and say how to mend each that is missing: this machine, the
    spec, the connection and its role, that the database is the project that is meant, the server, its extensions,
    whether cron jobs really run, secrets and Edge Functions, what slows it down, and what stands in the way of a plan.
    What cannot be asked is said, and the rest is asked all the same. It only reads.

    Exits with 1 where a prerequisite failed.

    \b
    Example:
      orchestra doctor --env production
      orchestra doctor billing.yaml shop.yaml --db "$DATABASE_URL"
      orchestra doctor --no-network --format json
    """
    from orchestra.cli.examining import Where, examine
    from orchestra.doctor import as_json, text

    diagnosis = examine(specs, Where(db, environment, not no_network))
    if form == "json":
        console.document(as_json.render(diagnosis), end="")
    else:
        console.out(text.render(diagnosis, console.style(sys.stdout)), end="")
    if diagnosis.failed:
        raise click.exceptions.Exit(1)
