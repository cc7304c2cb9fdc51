from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import console, files, options
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.plan.model import Plan

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

    _overwritable(view.out)
    spec = require(paths, choices["workload"])
    chosen = choose(db, environment, spec, paths)
    with planning.connected(chosen) as connection:
        plan = pipeline.plan(connection, spec, planning.options(chosen, **choices))
    if view.form == "json":
        console.out(plan_json.dump(plan), end="")
    else:
        planning.shown(plan, show_sql=view.show_sql, full=view.full)
    if view.out is not None:
        _save(plan, view.out)
    if view.detailed_exitcode and (plan.changes or plan.blockers):
        raise click.exceptions.Exit(CHANGES)


def _save(plan: Plan, path: Path) -> None:
    from orchestra.report import plan_json

    files.write(path, plan_json.dump(plan), private=True)
    if plan.blockers:
        console.note("\nSaved, to be read: apply refuses it as long as something stands in its way.")
    elif plan.is_empty:
        console.note("\nSaved. There is nothing in it to apply.")
    else:
        console.note(f"\nSaved. To do exactly this: orchestra apply {path}")


def _overwritable(path: Path | None) -> None:
    """UsageError where --out would destroy something that is no plan, such as the spec."""
    from orchestra.report import plan_json

    if path is not None and path.is_file() and not plan_json.is_plan(files.read(path)):
        raise UsageError(f"{path} exists and is no plan", "give --out another name, or remove it first")
