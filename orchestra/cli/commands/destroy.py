from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from orchestra.cli import options


@click.command("destroy")
@options.specs()
@options.workload
@click.option("--project", metavar="NAME", help="The project, where its spec is gone.")
@options.database
@options.auto_approve
@options.lock_timeout
@options.output_format("text", "json")
@options.detail
@options.approvals
def command(
    specs: tuple[Path, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    auto_approve: bool,
    lock_timeout: float | None,
    form: str,
    show_sql: bool,
    full: bool,
    **choices: Any,
) -> None:
    """Remove what a project has in the database, or only one of its workloads. What other projects own and
    what nobody claimed stays. A queue with messages needs an approval of its own, which the plan prints;
    what is protected is not removed.

    \b
    Example:
      orchestra destroy --env preview --allow-destroy
      orchestra destroy --project shop --workload bulk-import --db "$DATABASE_URL"
    """
    view = {"form": form, "show_sql": show_sql, "full": full}
    how = {"auto_approve": auto_approve, "lock_timeout": lock_timeout, **view}
    _destroy(specs, project, db, environment, choices, how)


def _destroy(
    paths: tuple[Path, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    choices: dict[str, Any],
    how: dict[str, Any],
) -> None:
    from orchestra import pipeline
    from orchestra.cli import planning
    from orchestra.cli.applying import finish
    from orchestra.cli.confirm import require_someone
    from orchestra.cli.database import choose
    from orchestra.cli.specs import require

    if project is not None and paths:
        raise click.UsageError("Give either SPEC or --project, not both.")
    require_someone(how["auto_approve"])
    spec = None if project is not None and environment is None else require(paths)
    # A workload that the spec no longer has can be destroyed all the same, so its name is not looked up
    # there.
    name = project or (spec.project if spec else "")
    chosen = choose(db, environment, spec, paths)
    wanted = planning.options(chosen, **choices)
    if spec is None:
        # Without a spec nothing says which environment is meant: whichever is recorded there.
        wanted = replace(wanted, environment="")
    with planning.connected(chosen) as connection:
        plan = pipeline.destroy_plan(connection, name, wanted)
        finish(connection, plan, wanted, verb="destroy", **how)
