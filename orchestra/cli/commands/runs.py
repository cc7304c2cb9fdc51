from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from orchestra.cli import console, options, pausing, whose
from orchestra.cli.groups import DefaultGroup

_STATUSES = ("waiting", "running", "done", "failed", "cancelled")


@click.group("runs", cls=DefaultGroup)
def command() -> None:
    """Runs of pipelines, and of the items of one HTTP request, which are counted together.

    `orchestra runs` alone lists them.

    \b
    Example:
      orchestra runs --env production --status failed
      orchestra runs show 12 --env production
    """


@command.command("list")
@options.specs()
@options.only_workload
@click.option(
    "--status",
    "statuses",
    type=click.Choice(_STATUSES),
    multiple=True,
    help="Only those of this status. Repeatable.",
)
@click.option(
    "--since",
    type=options.Duration(),
    metavar="DURATION",
    help="Only those that began in the last 30m, 6h, 2d.",
)
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, metavar="N", help="Show N runs."
)
@whose.project
@options.database
@options.output_format("text", "json")
def _list(
    specs: tuple[Path, ...], project: str | None, db: str | None, environment: str | None, **how: Any
) -> None:
    """Show runs, the newest first: how far each is and how long it took. It only reads.

    \b
    Example:
      orchestra runs list --env production --workload nightly-report --since 2d
    """
    from orchestra.cli.operating import at
    from orchestra.operate import pausing, runs
    from orchestra.report import runs_json, runs_text

    now = datetime.now(UTC)
    with at(specs, project, db, environment) as here:
        if how["workload"] is not None:
            pausing.gate(here.database, here.project).of([how["workload"]])
        found, more = runs.listing(
            here.database,
            here.project,
            workload=how["workload"],
            statuses=how["statuses"],
            since=now - timedelta(seconds=how["since"]) if how["since"] else None,
            limit=how["limit"],
        )
    if how["form"] == "json":
        console.document(runs_json.listing(found, here.project, more=more), end="")
    elif found:
        console.out(runs_text.listing(found, here.project, now, console.style(sys.stdout), more=more), end="")
    else:
        narrowed = any(how[name] for name in ("workload", "statuses", "since"))
        console.note(f"Project {here.project} has no {'such ' if narrowed else ''}runs.")


@command.command("show")
@click.argument("number", type=click.IntRange(1, 2**63 - 1), metavar="ID")
@options.specs()
@whose.project
@options.database
@options.output_format("text", "json")
def _show(
    number: int,
    specs: tuple[Path, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    form: str,
) -> None:
    """Show one run: each step and how far it is, what failed, and what it was started with. It only reads.

    \b
    Example:
      orchestra runs show 12 --env production
    """
    from orchestra.cli.operating import at
    from orchestra.report import runs_json, runs_text

    with at(specs, project, db, environment) as here:
        run = _one(here, number)
    if form == "json":
        console.document(runs_json.show(run, here.project), end="")
    else:
        console.out(runs_text.show(run, datetime.now(UTC), console.style(sys.stdout)), end="")


@command.command("cancel")
@click.argument("number", type=click.IntRange(1, 2**63 - 1), metavar="ID")
@options.specs()
@whose.project
@options.database
@pausing.reason
@options.auto_approve
@options.output_format("text", "json")
def _cancel(number: int, specs: tuple[Path, ...], project: str | None, **how: Any) -> None:
    """End a run: nothing more of it begins, its queued tasks are dropped when they come up, and handlers that are
    running are told to stop when they renew their leases.

    \b
    Example:
      orchestra runs cancel 12 --env production --reason "sent twice"
    """
    _turn("cancel", number, specs, project, how)


@command.command("retry")
@click.argument("number", type=click.IntRange(1, 2**63 - 1), metavar="ID")
@options.specs()
@whose.project
@options.database
@pausing.reason
@options.auto_approve
@options.output_format("text", "json")
def _retry(number: int, specs: tuple[Path, ...], project: str | None, **how: Any) -> None:
    """Take up a run that has failed or been cancelled, at what has not been done: each task that is left gets all its
    attempts anew.

    \b
    Example:
      orchestra runs retry 12 --env production
    """
    _turn("retry", number, specs, project, how)


def _turn(verb: str, number: int, specs: tuple[Path, ...], project: str | None, how: dict[str, Any]) -> None:
    from orchestra.cli.confirm import confirmed, require_someone
    from orchestra.cli.operating import at
    from orchestra.operate import runs
    from orchestra.report.cells import visible

    require_someone(how["auto_approve"])
    with at(specs, project, how["db"], how["environment"]) as here:
        run = _one(here, number)
        _refuse(verb, run)
        changed = verb == "retry" or run.goes_on
        if changed and not how["auto_approve"]:
            left = f"{run.done:,} of {run.total:,} tasks are done, {run.failed:,} have failed."
            if not confirmed(f"Do you want to {verb} run {run.id} of {visible(run.workload)}?", left):
                console.note("Nothing was changed.")
                raise click.exceptions.Exit(1)
        if changed:
            with here.acting(how["reason"]):
                if verb == "retry":
                    runs.retry(here.database, run.id)
                else:
                    changed = runs.cancel(here.database, run.id)
    _told(here.project, verb, run.id, changed, how["form"])


def _refuse(verb: str, run: Any) -> None:
    """What the runtime would refuse, before anybody is asked."""
    from orchestra.errors import OrchestraError

    if verb == "retry" and run.status not in ("failed", "cancelled"):
        raise OrchestraError(
            f"run {run.id} is {run.status}", "only a run that has failed or been cancelled can be tried again"
        )


def _one(here: Any, number: int) -> Any:
    from orchestra.errors import UsageError
    from orchestra.operate import runs

    run = runs.show(here.database, here.project, number)
    if run is None:
        raise UsageError(
            f"project {here.project} has no run {number}", "orchestra runs list shows those there are"
        )
    return run


def _told(project: str, verb: str, number: int, changed: bool, form: str) -> None:
    if form == "json":
        import json

        document = {"format_version": 1, "project": project, "verb": verb, "run": number, "changed": changed}
        console.out(json.dumps(document, indent=2))
    elif not changed:
        console.out(f"Run {number} has ended already.")
    else:
        console.out(f"Run {number} is cancelled." if verb == "cancel" else f"Run {number} goes on.")
