from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from orchestra.cli import console, files, options

CHANGES = 2


@dataclass(frozen=True, slots=True)
class _View:
    out: Path | None
    form: str
    show_sql: bool
    full: bool
    detailed_exitcode: bool


@click.command("plan")
@options.specs()
@options.workload
@options.database
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan, for orchestra apply FILE."
)
@options.detailed_exitcode
@options.output_format("text", "json")
@options.detail
@options.approvals
@options.adoption
def command(
    specs: tuple[Path, ...],
    db: str | None,
    environment: str | None,
    out: Path | None,
    detailed_exitcode: bool,
    form: str,
    show_sql: bool,
    full: bool,
    **choices: Any,
) -> None:
    """Show what would change in the database, and why: each object, each field before and after, what is
    dangerous about it, and what waits in the queues it touches. It only reads.

    \b
    Example:
      orchestra plan --env production --out plan.json
      orchestra plan --db "$DATABASE_URL" --detailed-exitcode
    """
    _plan(specs, db, environment, _View(out, form, show_sql, full, detailed_exitcode), choices)


def _plan(
    paths: tuple[Path, ...], db: str | None, environment: str | None, view: _View, choices: dict[str, Any]
) -> None:
    from orchestra import pipeline
    from orchestra.cli import planning
    from orchestra.cli.database import choose
    from orchestra.cli.specs import require
    from orchestra.report import plan_json

    spec = require(paths, choices["workload"])
    chosen = choose(db, environment, spec, paths)
    with planning.connected(chosen) as connection:
        plan = pipeline.plan(connection, spec, planning.options(chosen, **choices))
    if view.form == "json":
        console.out(plan_json.dump(plan), end="")
    else:
        planning.shown(plan, show_sql=view.show_sql, full=view.full)
    if view.out is not None:
        files.write(view.out, plan_json.dump(plan), private=True)
        console.note(f"\nSaved. To do exactly this: orchestra apply {view.out}")
    if view.detailed_exitcode and (plan.changes or plan.blockers):
        raise click.exceptions.Exit(CHANGES)
