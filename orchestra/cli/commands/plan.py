from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import console, options, units
from orchestra.report.plan_formats import FORMS

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
@options.databases
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Save the plan, for orchestra apply FILE; of several databases, a folder of plans.",
)
@options.detailed_exitcode
@options.output_format(*FORMS)
@click.option(
    "--refresh-only",
    is_flag=True,
    help="Only show what was changed outside orchestra since the last apply, and by hand.",
)
@options.detail
@options.approvals
@options.approval_files
@options.adoption
def command(
    specs: tuple[Path, ...],
    db: str | None,
    environments: tuple[str, ...],
    parallel: int | None,
    out: Path | None,
    detailed_exitcode: bool,
    form: str,
    refresh_only: bool,
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
      orchestra plan --env production --format html > plan.html
      orchestra plan --env production --refresh-only --detailed-exitcode
      orchestra plan --env 'tenant-*' --out plans
    """
    from orchestra.cli import fleet, fleet_run

    pace = fleet_run.Pace(parallel)
    if fleet.is_fleet(environments):
        if refresh_only:
            raise click.UsageError("--refresh-only looks at one database at a time.")
        seen = fleet_run.View(form, show_sql, full)
        fleet.plan(specs, db, environments, seen, pace, choices, out=out, detailed=detailed_exitcode)
        return
    pace.refuse_for_one()
    if refresh_only:
        _only_looking(choices)
        choices["refresh_only"] = True
    view = _View(out, form, show_sql, full, detailed_exitcode)
    _plan(specs, db, fleet.single(environments), view, choices)


def _plan(
    paths: tuple[Path, ...], db: str | None, environment: str | None, view: _View, choices: dict[str, Any]
) -> None:
    from orchestra import pipeline
    from orchestra.cli import planning
    from orchestra.cli.database import choose
    from orchestra.cli.saving import overwritable, save
    from orchestra.cli.specs import known
    from orchestra.report import plan_formats

    plan_formats.refuse(view.form, show_sql=view.show_sql, full=view.full)
    overwritable(view.out)
    found = units.units(paths)
    if len(found) > 1:
        _several(found, db, environment, view, choices)
        return
    spec = found[0].spec
    if choices["workload"] is not None:
        known(spec, choices["workload"])
    chosen = choose(db, environment, spec, paths)
    look = pipeline.drift_plan if choices.pop("refresh_only", False) else pipeline.plan
    command = planning.approve_command(paths, db, environment, choices)
    wanted = planning.options(chosen, **choices, specs=paths, command=command)
    with planning.connected(chosen) as connection:
        plan = look(connection, spec, wanted)
    style = console.style(sys.stdout)
    shown = plan_formats.plan(view.form, plan, spec=spec, style=style, show_sql=view.show_sql, full=view.full)
    console.out(shown, end="")
    if view.out is not None:
        save(plan, view.out)
    if view.detailed_exitcode and _differs(plan):
        raise click.exceptions.Exit(CHANGES)


def _several(
    found: Sequence[units.Unit], db: str | None, environment: str | None, view: _View, choices: dict[str, Any]
) -> None:
    from orchestra.cli import several

    drift = choices.pop("refresh_only", False)
    several.refuse(
        found, workload=choices["workload"], out=view.out, format=view.form != "text", refresh_only=drift
    )
    plans = several.plan(found, db, environment, choices, show_sql=view.show_sql, full=view.full)
    if view.detailed_exitcode and any(map(_differs, plans)):
        raise click.exceptions.Exit(CHANGES)


def _differs(plan: Plan) -> bool:
    """Whether there is something to do; of drift, whether there is any that nobody has accepted."""
    from orchestra.plan.conditions import BY_HAND

    drift = plan.refresh_only and any(c.code in BY_HAND for c in plan.conditions)
    return bool(plan.changes or plan.blockers or drift)


def _only_looking(choices: dict[str, Any]) -> None:
    """UsageError for what would have a say in a plan that changes something."""
    for name, value in choices.items():
        if value:
            raise click.UsageError(
                f"--refresh-only changes nothing, so there is no use for --{name.replace('_', '-')}."
            )
