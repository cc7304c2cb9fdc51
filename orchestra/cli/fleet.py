"""plan and apply over many databases: which, how many at once, what is shown meanwhile, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import confirm, console, environments, files, fleet_files
from orchestra.cli.fleet_run import Pace, Run, View, show_plans
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.cli.environments import Place
    from orchestra.fleet.groups import Group
    from orchestra.fleet.model import Result
    from orchestra.plan.model import Plan
    from orchestra.spec.model import Spec


def is_fleet(names: Sequence[str]) -> bool:
    """Whether `--env` asks for several databases: it was given twice, or is a pattern."""
    return len(names) > 1 or any(map(environments.is_pattern, names))


def single(names: Sequence[str]) -> str | None:
    return names[0] if names else None


def plan(
    paths: Sequence[Path],
    db: str | None,
    names: Sequence[str],
    view: View,
    pace: Pace,
    choices: Mapping[str, Any],
    *,
    out: Path | None,
    detailed: bool,
) -> None:
    """Plan all of them, show what is alike once, and end with the gravest exit code."""
    from orchestra.report import plan_formats

    _refuse_db(db)
    if view.form not in ("text", "json"):
        raise UsageError(
            f"--format {view.form} shows the plan of one database, and these are several",
            "save them with --out DIR, then: orchestra show DIR/ENVIRONMENT.plan.json --format " + view.form,
        )
    plan_formats.refuse(view.form, show_sql=view.show_sql, full=view.full)
    if out is not None:
        fleet_files.writable(out)
    spec, places = _chosen(paths, names, choices)
    run = Run("plan", spec.project, places, pace)
    plans, results = run.plan(spec, {**choices, "specs": paths})
    if out is not None:
        fleet_files.save(out, spec.project, plans, results)
    run.show(_groups(plans), results, view, detailed=detailed)


def apply(
    paths: Sequence[Path],
    db: str | None,
    names: Sequence[str],
    view: View,
    pace: Pace,
    choices: Mapping[str, Any],
    *,
    auto_approve: bool,
    lock_timeout: float | None,
) -> None:
    """Plan all of them or read their saved plans, ask once, and apply each by itself."""
    _refuse_db(db)
    folder = fleet_files.saved_in(paths)
    _refuse_plan(paths)
    confirm.require_someone(auto_approve)
    results: tuple[Result, ...]
    if folder is None:
        spec, places = _chosen(paths, names, choices)
        run = Run("apply", spec.project, places, pace)
        plans, results = run.plan(spec, {**choices, "specs": paths})
    else:
        project, plans = fleet_files.read(folder, names)
        places = _places_of(project, plans)
        run = Run("apply", project, places, pace)
        results = ()
    asked = not auto_approve and any(not p.is_empty and not p.blockers for p in plans.values())
    elsewhere = view.form == "json" or (asked and not console.is_terminal(sys.stdout))
    groups = _groups(plans)
    show_plans(groups, view, stderr=elsewhere)
    ready = [name for name, p in plans.items() if not p.is_empty and not p.blockers]
    if asked and ready and not run.interrupted and not run.confirmed(ready):
        console.note("Apply cancelled. Nothing was changed.")
        raise click.exceptions.Exit(1)
    try:
        results = run.apply(plans, results, choices, lock_timeout)
        run.show(groups, results, view, detailed=False, plans_too=False)
    except KeyboardInterrupt:
        from orchestra.cli.ending import Interrupted

        raise Interrupted("Interrupted at the very end. orchestra plan tells what was done where.") from None


def _chosen(
    paths: Sequence[Path], names: Sequence[str], choices: Mapping[str, Any]
) -> tuple[Spec, tuple[Place, ...]]:
    from orchestra.cli.specs import require

    spec = require(paths, choices["workload"])
    return spec, environments.matching(spec, names)


def _refuse_db(db: str | None) -> None:
    if db is not None:
        raise UsageError(
            "--db names one database, and these are several", "give either --db, or environments with --env"
        )


def _refuse_plan(paths: Sequence[Path]) -> None:
    from orchestra.report import plan_json

    for path in paths:
        if path.suffix == ".json" and path.is_file() and plan_json.is_plan(files.read(path)):
            raise UsageError(
                f"{path} is the plan of one database, and these are several",
                "apply it alone, or plan all of them with --out DIR and apply the folder",
            )


def _groups(plans: Mapping[str, Plan]) -> tuple[Group, ...]:
    from orchestra.fleet.groups import grouped

    return grouped(plans)


def _places_of(project: str, plans: Mapping[str, Plan]) -> tuple[Place, ...]:
    """Where the databases of saved plans are: the nearest spec says which variables hold their URLs."""
    from orchestra.cli.specs import require_of

    return environments.matching(require_of(project), list(plans))
