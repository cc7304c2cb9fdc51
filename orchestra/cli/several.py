"""Plan and apply of several projects in one database, one after the other in the order of their composition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import console
from orchestra.cli.units import Unit
from orchestra.errors import OrchestraError
from orchestra.ir.program import Address

if TYPE_CHECKING:
    from orchestra.cli.database import Chosen
    from orchestra.pipeline import PlanOptions
    from orchestra.plan.model import Plan


def plan(
    found: Sequence[Unit], db: str | None, environment: str | None, choices: dict[str, Any], **view: Any
) -> list[Plan]:
    """The plan of each, shown in order: each against the database as it is now."""
    from orchestra import pipeline
    from orchestra.cli import planning
    from orchestra.cli.database import choose

    plans: list[Plan] = []
    for number, unit in enumerate(found):
        _head(unit, number, found)
        chosen = choose(db, environment, unit.spec, unit.paths)
        wanted = _options(unit, db, environment, chosen, choices)
        wanted = replace(wanted, beside=before(found, number))
        with planning.connected(chosen) as connection:
            plans.append(pipeline.plan(connection, unit.spec, wanted))
        planning.shown(plans[-1], **view)
    return plans


def apply(
    found: Sequence[Unit], db: str | None, environment: str | None, choices: dict[str, Any], **how: Any
) -> None:
    """Each is planned when those before it are applied. The first that fails ends it; those before it stay."""
    from orchestra import pipeline
    from orchestra.cli import planning
    from orchestra.cli.applying import finish
    from orchestra.cli.database import choose

    # What is wrong with a word or a variable is told before the first of them is applied.
    chosen_for = [choose(db, environment, unit.spec, unit.paths) for unit in found]
    wanted_for = [_options(u, db, environment, c, choices) for u, c in zip(found, chosen_for, strict=True)]
    for number, unit in enumerate(found):
        _head(unit, number, found)
        chosen, wanted = chosen_for[number], wanted_for[number]
        try:
            with planning.connected(chosen) as connection:
                finish(connection, pipeline.plan(connection, unit.spec, wanted), wanted, verb="apply", **how)
        except OrchestraError as error:
            error.remedy = f"{_stays(found, number)} {error.remedy}".strip()
            raise
        except click.exceptions.Exit:
            console.note(_stays(found, number))
            raise


def _options(
    unit: Unit, db: str | None, environment: str | None, chosen: Chosen, choices: dict[str, Any]
) -> PlanOptions:
    from orchestra.cli import planning

    command = planning.approve_command(unit.paths, db, environment, choices)
    return planning.options(chosen, **choices, specs=unit.paths, command=command)


def refuse(found: Sequence[Unit], **given: object) -> None:
    """UsageError for what is about one project only."""
    for name, value in given.items():
        if value:
            projects = " and ".join(unit.spec.project for unit in found)
            raise click.UsageError(
                f"--{name.replace('_', '-')} is about one project, and {projects} were given. Take them one by one."
            )


def before(found: Sequence[Unit], number: int) -> dict[str, frozenset[Address]]:
    """The projects that come before, with what each of them makes."""
    from orchestra.pipeline import compile_spec

    made = ((unit.spec.project, compile_spec(unit.spec)) for unit in found[:number])
    return {
        project: frozenset(a for r in program for a in (r.address, Address(r.kind, r.object_name)))
        for project, program in made
    }


def _head(unit: Unit, number: int, found: Sequence[Unit]) -> None:
    console.note(f"\nProject {unit.spec.project} ({number + 1} of {len(found)})")


def _stays(found: Sequence[Unit], number: int) -> str:
    """Which are applied and which are not, for whoever reads of the failure."""
    done = ", ".join(u.spec.project for u in found[:number])
    rest = ", ".join(u.spec.project for u in found[number:])
    return f"{done} is applied and stays; not applied: {rest}." if done else f"Not applied: {rest}."
