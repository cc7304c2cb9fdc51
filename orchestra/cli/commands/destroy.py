from __future__ import annotations

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
@options.approval_files
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
    from orchestra.cli import planning, whose
    from orchestra.cli.applying import finish
    from orchestra.cli.confirm import require_someone
    from orchestra.cli.database import choose

    whose.either(paths, project)
    require_someone(how["auto_approve"])
    # A workload that the spec no longer has can be destroyed all the same, so its name is not looked up
    # there.
    spec = whose.sound_spec_of(paths, project, environment)
    name = whose.named(spec, project)
    chosen = choose(db, environment, spec, paths)
    command = planning.approve_command(paths, db, environment, choices, destroy=True)
    wanted = planning.options(chosen, **choices, specs=paths, command=command)
    wanted = whose.wherever_it_is(wanted, spec)
    with planning.connected(chosen) as connection:
        plan = pipeline.destroy_plan(connection, name, wanted)
        finish(connection, plan, wanted, verb="destroy", **how)
