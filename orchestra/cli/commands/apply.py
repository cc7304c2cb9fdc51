from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import files, options

if TYPE_CHECKING:
    from orchestra.plan.model import Plan
    from orchestra.spec.model import Spec


@click.command("apply")
@options.specs("[SPEC... | PLAN.json | PLANS]", plans=True)
@options.workload
@options.databases
@click.option(
    "--canary",
    type=click.IntRange(1),
    metavar="N",
    help="Of several databases, apply the first N, and the others only if all of those went well.",
)
@click.option(
    "--fail-fast", is_flag=True, help="Of several databases, begin no more after the first failure."
)
@options.auto_approve
@options.lock_timeout
@options.output_format("text", "json")
@options.detail
@options.approvals
@options.approval_files
@options.adoption
def command(
    specs: tuple[Path, ...],
    db: str | None,
    environments: tuple[str, ...],
    parallel: int | None,
    canary: int | None,
    fail_fast: bool,
    auto_approve: bool,
    lock_timeout: float | None,
    form: str,
    show_sql: bool,
    full: bool,
    **choices: Any,
) -> None:
    """Make the database as the spec says: plan, ask, run, plan again inside the same transaction, and commit
    only if that second plan is empty. With PLAN.json, run exactly that plan, or refuse where what it touches
    has changed; with PLANS, a folder of plans, each of them in its database.

    \b
    Exit codes:
      0  done                          4  another apply holds the lock
      1  failed and rolled back        5  blocked: ownership, protection, or
      3  the plan is stale                a hazard that nobody approved

    \b
    Example:
      orchestra apply --env production
      orchestra apply plan.json --auto-approve --lock-timeout 30s
      orchestra apply --env 'tenant-*' --canary 3
    """
    from orchestra.cli import fleet, fleet_files, fleet_run

    how: dict[str, Any] = {"auto_approve": auto_approve, "lock_timeout": lock_timeout}
    pace = fleet_run.Pace(parallel, canary, fail_fast)
    folder = fleet_files.saved_in(specs)
    if folder is not None:
        _only_saved(choices)
    if folder is not None or fleet.is_fleet(environments):
        fleet.apply(specs, db, environments, fleet_run.View(form, show_sql, full), pace, choices, **how)
        return
    pace.refuse_for_one()
    view = {"form": form, "show_sql": show_sql, "full": full}
    _apply(specs, db, fleet.single(environments), choices, **how, **view)


def _apply(
    paths: tuple[Path, ...], db: str | None, environment: str | None, choices: dict[str, Any], **how: Any
) -> None:
    from orchestra import pipeline
    from orchestra.cli import planning, several, units
    from orchestra.cli.applying import finish
    from orchestra.cli.confirm import require_someone
    from orchestra.cli.database import choose
    from orchestra.cli.specs import known

    saved = _saved(paths)
    require_someone(how["auto_approve"])
    if saved is None:
        found = units.units(paths)
        if len(found) > 1:
            several.refuse(found, workload=choices["workload"], format=how["form"] != "text")
            several.apply(found, db, environment, choices, **how)
            return
        spec = found[0].spec
        if choices["workload"] is not None:
            known(spec, choices["workload"])
        chosen = choose(db, environment, spec, paths)
        command = planning.approve_command(paths, db, environment, choices)
        wanted = planning.options(chosen, **choices, specs=paths, command=command)
    else:
        _only_saved(choices)
        chosen = choose(db, environment, _spec_for(environment, saved.project), (), make=False)
        wanted = planning.options(chosen, **choices)
    with planning.connected(chosen) as connection:
        if saved is not None:
            pipeline.refuse_elsewhere(connection, saved)
        plan = saved or pipeline.plan(connection, spec, wanted)
        finish(connection, plan, wanted, verb="apply", **how)
    unseen = any(condition.address.kind == "edge_function" for condition in plan.conditions)
    chosen.say_who_runs_its_jobs(functions=unseen)


def _saved(paths: tuple[Path, ...]) -> Plan | None:
    """The plan, if a saved one is given: a file that ends in .json and says that it is one."""
    plans = [path for path in paths if path.suffix == ".json"]
    if not plans:
        return None
    if len(paths) > 1:
        raise click.UsageError("A saved plan is applied alone, without specs or further plans.")
    from orchestra.report import plan_json

    text = files.read(plans[0])
    return plan_json.load(text) if plan_json.is_plan(text) else None


def _only_saved(choices: dict[str, Any]) -> None:
    """What a plan may do was settled when it was made, so nothing more is said at its apply."""
    for name, value in choices.items():
        if value:
            raise click.UsageError(
                f"--{name.replace('_', '-')} belongs to the plan: give it to orchestra plan --out, not to "
                "its apply."
            )


def _spec_for(environment: str | None, project: str) -> Spec | None:
    """A saved plan needs no spec, except to look up what `--env` means; that of another project does not say."""
    if environment is None:
        return None
    from orchestra.cli.specs import require_of

    return require_of(project)
