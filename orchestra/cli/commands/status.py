from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import options, whose
from orchestra.cli.completion import offers
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.cli.watching import Target
    from orchestra.spec.model import Spec

INTERVAL_S = 2.0
SHORTEST_S = 0.5


@click.command("status")
@options.specs()
@whose.project
@click.option("--all-projects", is_flag=True, help="Every project of the database.")
@click.option(
    "--workload",
    metavar="NAME",
    shell_complete=offers.workloads,
    help="Only this workload, and the jobs that it shares with others.",
)
@options.databases
@options.output_format("text", "json", "prometheus")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--interval",
    type=options.Duration(),
    metavar="DURATION",
    help="With --watch: from one look to the next. Default: 2s.",
)
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 where an alert fires, 0 where none does."
)
def command(
    specs: tuple[Path, ...],
    project: str | None,
    all_projects: bool,
    workload: str | None,
    db: str | None,
    environments: tuple[str, ...],
    parallel: int | None,
    form: str,
    watch: bool,
    interval: float | None,
    detailed_exitcode: bool,
) -> None:
    """Show how each workload is: what waits and for how long, what is worked on, how fast it comes and goes, what
    failed, when it last ran and will run next; and first of all what calls for somebody, with its reason. That includes
    cron failures that the database hides: a job that was switched off, that the launcher does not begin, or whose call
    of a function came to nothing. It only reads, and costs the same whatever lies in a queue.

    --detailed-exitcode is for monitors: 0 all is well, 2 an alert fires, 1 it could not be told.

    \b
    Example:
      orchestra status --env production
      orchestra status --watch --workload bulk-import
      orchestra status --project shop --db "$DATABASE_URL" --format prometheus
      orchestra status --env 'tenant-*' --detailed-exitcode
    """
    from orchestra.cli import watching

    if interval is not None and not watch:
        raise UsageError("--interval belongs to --watch", "add --watch, or leave it out")
    if interval is not None and interval < SHORTEST_S:
        raise UsageError("--interval is shorter than 500ms", "a look takes some time itself; 2s will do")
    if watch and form == "prometheus":
        raise UsageError(
            "--watch has no Prometheus format: a scrape is one look",
            "leave out --watch, or choose --format json",
        )
    targets, several = _targets(specs, project, db, environments, all_projects, parallel)
    asked = watching.Asked(
        None if all_projects else targets[0].project, workload, form, several, parallel or watching.PARALLEL
    )
    look = watching.once if not watch else partial(watching.watch, interval=interval or INTERVAL_S)
    code = look(targets, asked)
    if code == 1 or (code and detailed_exitcode):
        raise click.exceptions.Exit(code)


def _targets(
    paths: tuple[Path, ...],
    project: str | None,
    db: str | None,
    names: tuple[str, ...],
    all_projects: bool,
    parallel: int | None,
) -> tuple[list[Target], bool]:
    """The databases, and whether several were asked for."""
    from orchestra.cli import environments, fleet
    from orchestra.cli.database import choose
    from orchestra.cli.fleet_run import Pace
    from orchestra.cli.watching import Target

    if all_projects and project is not None:
        raise click.UsageError("Give either --project or --all-projects, not both.")
    spec: Spec | None = None
    if not all_projects or names or paths:
        spec = whose.spec_of(paths, project, names[0] if names else None)
    name = whose.named(spec, project)
    if not fleet.is_fleet(names):
        Pace(parallel).refuse_for_one()
        chosen = choose(db, fleet.single(names), spec, paths, make=False)
        return [Target(chosen.environment if names else "", chosen.url, name, chosen)], False
    if db is not None:
        raise UsageError(
            "--db names one database, and these are several",
            "give either --db, or environments with --env",
        )
    assert spec is not None, "an environment needs a spec, which spec_of has found"
    places = environments.matching(spec, names)
    return [Target(place.name, place.url or "", name) for place in places], True
