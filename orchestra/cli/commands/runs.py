from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from orchestra.cli import console, options, pausing, whose
from orchestra.cli.groups import DefaultGroup

_STATUSES = (
    *("waiting", "running", "done", "failed", "cancelled"),
    *("lost", "skipped", "paused", "ended"),
)


class _Id(click.ParamType[int | str]):
    """The number of a run, or the id of what a schedule or a call began."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if isinstance(value, int):
            return value
        if value.isdecimal() and value.isascii() and 0 < int(value[:20]) < 2**63 and len(value) < 20:
            return int(value)
        from orchestra.operate import occurrences

        if not occurrences.is_id(value):
            self.fail(
                f"{value!r} is no id: a run has a number, other work one like s12, c7, j901 or "
                "NAME@2030-01-31T02:30:00Z",
                param,
                ctx,
            )
        return str(value)


@click.group("runs", cls=DefaultGroup)
def command() -> None:
    """Runs of pipelines, and of the items of one HTTP request, which are counted together; and what schedules and calls
    have begun.

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
    help="Only those of this status; failed finds what was lost as well. Repeatable.",
)
@click.option(
    "--since",
    type=options.Duration(),
    metavar="DURATION",
    help="Only those that began in the last 30m, 6h, 2d.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    metavar="N",
    help="Show N of each sort.",
)
@whose.project
@options.database
@options.output_format("text", "json")
def _list(
    specs: tuple[Path, ...], project: str | None, db: str | None, environment: str | None, **how: Any
) -> None:
    """Show runs, the newest first: how far each is and how long it took. Below them what schedules have begun, or why
    not, and the calls that functions work off behind their answers. It only reads.

    \b
    Example:
      orchestra runs list --env production --workload nightly-report --since 2d
      orchestra runs list --env production --status failed --since 12h
    """
    from orchestra.cli.operating import at
    from orchestra.operate import occurrences, pausing, runs
    from orchestra.report import runs_json, runs_text

    now = datetime.now(UTC)
    with at(specs, project, db, environment) as here:
        if how["workload"] is not None:
            pausing.gate(here.database, here.project).of([how["workload"]])
        which = {
            "workload": how["workload"],
            "statuses": how["statuses"],
            "since": now - timedelta(seconds=how["since"]) if how["since"] else None,
            "limit": how["limit"],
        }
        found, more = runs.listing(here.database, here.project, **which)
        scheduled = occurrences.scheduled(here.database, here.project, **which)
        calls = occurrences.calls(here.database, here.project, **which)
    if how["form"] == "json":
        console.document(runs_json.listing(found, scheduled, calls, here.project, more=more), end="")
    elif found or scheduled.found or calls.found:
        style = console.style(sys.stdout)
        console.out(runs_text.listing(found, scheduled, calls, here.project, now, style, more=more), end="")
    else:
        narrowed = any(how[name] for name in ("workload", "statuses", "since"))
        console.note(f"Project {here.project} has no {'such ' if narrowed else ''}runs.")


@command.command("show")
@click.argument("ident", type=_Id(), metavar="ID")
@options.specs()
@whose.project
@options.database
@options.output_format("text", "json")
def _show(
    ident: int | str,
    specs: tuple[Path, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    form: str,
) -> None:
    """Show one run: each step and how far it is, what failed, and what it was started with; or one attempt of scheduled
    SQL, one due time or one call, by its id in the list. It only reads.

    \b
    Example:
      orchestra runs show 12 --env production
      orchestra runs show s340 --env production
    """
    from orchestra.cli.operating import at
    from orchestra.report import occurrences_json, occurrences_text, runs_json, runs_text

    with at(specs, project, db, environment) as here:
        if isinstance(ident, str):
            one = _occurrence(here, ident)
            if form == "json":
                console.document(occurrences_json.show(one, here.project), end="")
            else:
                console.out(occurrences_text.show(one, datetime.now(UTC), console.style(sys.stdout)), end="")
            return
        run = _one(here, ident)
    if form == "json":
        console.document(runs_json.show(run, here.project), end="")
    else:
        console.out(runs_text.show(run, datetime.now(UTC), console.style(sys.stdout)), end="")


@command.command("cancel")
@click.argument("ident", type=_Id(), metavar="ID")
@options.specs()
@whose.project
@options.database
@pausing.reason
@options.auto_approve
@options.output_format("text", "json")
def _cancel(ident: int | str, specs: tuple[Path, ...], project: str | None, **how: Any) -> None:
    """End a run: nothing more of it begins, its queued tasks are dropped when they come up, and handlers that are
    running are told to stop when they renew their leases.

    \b
    Example:
      orchestra runs cancel 12 --env production --reason "sent twice"
    """
    _turn("cancel", ident, specs, project, how)


@command.command("retry")
@click.argument("ident", type=_Id(), metavar="ID")
@options.specs()
@whose.project
@options.database
@pausing.reason
@options.auto_approve
@options.output_format("text", "json")
def _retry(ident: int | str, specs: tuple[Path, ...], project: str | None, **how: Any) -> None:
    """Take up a run that has failed or been cancelled, at what has not been done: each task that is left gets all its
    attempts anew.

    \b
    Example:
      orchestra runs retry 12 --env production
    """
    _turn("retry", ident, specs, project, how)


def _turn(
    verb: str, ident: int | str, specs: tuple[Path, ...], project: str | None, how: dict[str, Any]
) -> None:
    from orchestra.cli.confirm import confirmed, require_someone
    from orchestra.cli.operating import at
    from orchestra.operate import runs
    from orchestra.report.cells import visible

    require_someone(how["auto_approve"])
    with at(specs, project, how["db"], how["environment"]) as here:
        if isinstance(ident, str):
            raise _no_run(verb, _occurrence(here, ident))
        run = _one(here, ident)
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


def _occurrence(here: Any, ident: str) -> Any:
    from orchestra.errors import UsageError
    from orchestra.operate import occurrences

    found = occurrences.show(here.database, here.project, ident)
    if found is None:
        raise UsageError(
            f"project {here.project} has no {ident}", "orchestra runs list shows those there are"
        )
    return found


def _no_run(verb: str, one: Any) -> Any:
    """Why neither verb is for it, and what is."""
    from orchestra.errors import OrchestraError

    turned = "cancelled" if verb == "cancel" else "tried again"
    return OrchestraError(
        f"{one.id} is {_WHAT[one.kind]}, and only a run can be {turned}", _instead(verb, one)
    )


def _instead(verb: str, one: Any) -> str:
    if one.dead_letter is not None and verb == "retry":
        return f"orchestra dlq redrive --id {one.dead_letter} sends its message back"
    if verb == "cancel":
        return (
            "it ends by itself or by its timeout; orchestra pause keeps the next from beginning"
            if one.status in ("running", "waiting")
            else f"it does not go on: it is {one.status}"
        )
    if one.retry_at is not None:
        return f"it is tried again by itself at {one.retry_at:%Y-%m-%d %H:%M:%S %Z}"
    if one.kind == "call":
        return "call its function again"
    return f"orchestra status --workload {one.workload} says when it is due again"


_WHAT = {
    "sql": "an attempt of scheduled SQL",
    "message": "a due time of a queue",
    "due": "a due time at which nothing began",
    "job": "a run of a cron job",
    "call": "a call",
}


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
