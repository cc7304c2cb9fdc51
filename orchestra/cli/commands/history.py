from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from orchestra.cli import console, options, whose
from orchestra.cli.groups import Nameless, NamelessGroup


@click.group("history", cls=NamelessGroup)
def command() -> None:
    """What was deployed, by whom, and what operators did by hand in between."""


@command.command("list", cls=Nameless)
@options.specs()
@whose.project
@options.only_workload
@options.database
@whose.limit
@options.output_format("text", "json")
@click.option("--full", is_flag=True, help="Leave nothing out of what operators did by hand.")
def _listed(
    specs: tuple[Path, ...],
    project: str | None,
    workload: str | None,
    db: str | None,
    environment: str | None,
    limit: int,
    form: str,
    full: bool,
) -> None:
    """Show the deployments of a project, the newest first: when, by whom, from which commit, and how much was
    added, changed and destroyed; and between them what operators did by hand. It only reads.

    `orchestra history show N` shows one deployment with every object before and after.

    \b
    Example:
      orchestra history --env production
      orchestra history --project shop --db "$DATABASE_URL" --workload bulk-import --limit 5
      orchestra history show 12 --env production
    """
    _list(specs, project, db, environment, workload=workload, limit=limit, form=form, full=full)


@command.command("show")
@click.argument("number", type=click.IntRange(1), metavar="N")
@options.specs()
@whose.project
@options.database
@options.output_format("text", "json")
@click.option("--full", is_flag=True, help="Leave nothing out of a large deployment.")
def _shown(
    number: int,
    specs: tuple[Path, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    form: str,
    full: bool,
) -> None:
    """Show one deployment: who made it and when, from which commit, by which plan, and each object before and
    after with the reasons, as the plan showed it. An apply of several transactions is shown whole, whichever
    of its numbers is given. It only reads.

    \b
    Example:
      orchestra history show 12 --env production
      orchestra history show 12 --project shop --db "$DATABASE_URL" --format json
    """
    _show(number, specs, project, db, environment, form, full)


def _list(
    paths: tuple[Path, ...], project: str | None, db: str | None, environment: str | None, **how: Any
) -> None:
    from orchestra import rollback
    from orchestra.cli import planning
    from orchestra.cli.database import choose
    from orchestra.report import history_json, history_text

    spec = whose.spec_of(paths, project, environment)
    name = whose.named(spec, project)
    chosen = choose(db, environment, spec, paths, make=False)
    with planning.connected(chosen) as connection:
        found = rollback.history(connection, name, limit=how["limit"], workload=how["workload"])
        others = rollback.projects(connection) if not found.entries else []
    if how["form"] == "json":
        console.document(history_json.render(found), end="")
    elif found.entries:
        console.out(history_text.render(found, console.style(sys.stdout), full=how["full"]), end="")
    if not found.entries:
        console.note(_nothing(name, how["workload"], others))


def _nothing(name: str, workload: str | None, others: list[str]) -> str:
    from orchestra.report.cells import visible

    if name in others:
        return f"No deployment of project {name} changed workload {workload}."
    if not others:
        return "This database has no history: orchestra was never applied to it."
    more = f" and {len(others) - 10} more" if len(others) > 10 else ""
    listed = visible(", ".join(others[:10]), keep="")
    return f"Project {name} was never applied to this database; it has the history of {listed}{more}."


def _show(
    number: int,
    paths: tuple[Path, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    form: str,
    full: bool,
) -> None:
    from orchestra import rollback
    from orchestra.cli import planning
    from orchestra.cli.database import choose
    from orchestra.report import history_json, history_text

    spec = whose.spec_of(paths, project, environment)
    name = whose.named(spec, project)
    chosen = choose(db, environment, spec, paths, make=False)
    with planning.connected(chosen) as connection:
        found = rollback.deployment(connection, name, number)
    if form == "json":
        console.document(history_json.show(name, found), end="")
    else:
        console.out(history_text.show(name, found, console.style(sys.stdout), full=full), end="")
