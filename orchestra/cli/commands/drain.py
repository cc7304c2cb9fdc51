from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import console, options, pausing, whose
from orchestra.cli.completion import offers

if TYPE_CHECKING:
    from orchestra.operate.draining import Left, Mark
    from orchestra.operate.pausing import Gate


@click.command("drain")
@options.specs()
@click.option(
    "--workload",
    "workloads",
    multiple=True,
    metavar="NAME",
    shell_complete=offers.workloads,
    help="Only this workload. Repeatable. Default: the whole project.",
)
@whose.project
@options.database
@click.option(
    "--timeout",
    type=options.Duration(),
    metavar="DURATION",
    help="Give up after this long, such as 10m. Default: never.",
)
@pausing.reason
@options.auto_approve
@options.output_format("text", "json")
def command(
    specs: tuple[Path, ...],
    workloads: tuple[str, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    **how: Any,
) -> None:
    """Wait until what is in the queues now has been worked off, then pause. What comes in meanwhile is taken in and
    waits behind the pause; messages that are delayed and have never been handed out are not waited for. Given up or
    interrupted, nothing is paused and work goes on.

    Exits with 0 when it is drained and paused, with 1 when the time is over.

    \b
    Example:
      orchestra drain --env production --workload import-product --timeout 10m
    """
    _drain(specs, workloads, project, db, environment, how)


def _drain(
    paths: Sequence[Path],
    workloads: Sequence[str],
    project: str | None,
    db: str | None,
    environment: str | None,
    how: dict[str, Any],
) -> None:
    from orchestra.cli import waiting
    from orchestra.cli.confirm import confirmed, require_someone
    from orchestra.cli.ending import Interrupted
    from orchestra.cli.operating import at
    from orchestra.errors import OrchestraError
    from orchestra.operate import draining, pausing
    from orchestra.report import operate_text

    require_someone(how["auto_approve"], "add --auto-approve")
    with at(paths, project, db, environment) as here:
        gate = pausing.gate(here.database, here.project)
        chosen = gate.of(workloads)
        _refuse_paused(gate, [w.workload for w in chosen if w.paused])
        what = operate_text.names(list(dict.fromkeys(workloads)), here.project)
        if not how["auto_approve"]:
            _show(chosen)
            if not confirmed(f"Do you want to drain {what}?", "It is paused when what it has now is done."):
                console.note("Not drained. Nothing was changed.")
                raise click.exceptions.Exit(1)
        marks = draining.marks(here.database, here.project, [w.workload for w in chosen])

        def look() -> list[Left]:
            found = [draining.left(here.database, here.project, mark) for mark in marks]
            waited_for = [mark.workload for mark, one in zip(marks, found, strict=True) if one.total]
            if waited_for and draining.shut(here.database, here.project, waited_for):
                raise OrchestraError(
                    f"{what} was paused meanwhile, in part at least, so it is not worked off any more",
                    "orchestra history says who did; nothing else was paused",
                )
            return found

        try:
            left = waiting.until_none(
                look,
                lambda found: sum(one.total for one in found),
                how["timeout"],
            )
        except KeyboardInterrupt:
            raise Interrupted(f"Interrupted. Nothing was paused; {what} goes on.") from None
        remaining = sum(one.total for one in left)
        if not remaining:
            with here.acting(how["reason"] or "drained"):
                for name in dict.fromkeys(workloads) or (None,):
                    pausing.turn(here.database, here.project, name, paused=True)
        if how["form"] == "json":
            _json(here.project, workloads, marks, left)
        else:
            _told(what, left, how["timeout"])
        if remaining:
            raise click.exceptions.Exit(1)


def _refuse_paused(gate: Gate, paused: Sequence[str]) -> None:
    """What is paused would never end."""
    from orchestra.errors import OrchestraError
    from orchestra.report import operate_text

    if gate.paused:
        raise OrchestraError(
            f"project {gate.project} is paused, so nothing of it is worked off", "orchestra resume opens it"
        )
    if paused:
        what = operate_text.names(paused, gate.project)
        them = "them" if len(paused) > 1 else "it"
        raise OrchestraError(
            f"{what} {'are' if len(paused) > 1 else 'is'} paused, so nothing of {them} is worked off",
            f"orchestra resume --workload {paused[0]}",
        )


def _show(chosen: Sequence[Any]) -> None:
    import sys

    from orchestra.report import operate_text

    console.note(f"\n{operate_text.standings(chosen, console.style(sys.stderr))}")


def _json(project: str, workloads: Sequence[str], marks: Sequence[Mark], left: Sequence[Left]) -> None:
    from dataclasses import asdict

    from orchestra.report import operate_json

    remaining = {mark.workload: asdict(one) for mark, one in zip(marks, left, strict=True)}
    changed = not any(one.total for one in left)
    console.document(operate_json.document(project, "drain", workloads, changed=changed, left=remaining))


def _told(what: str, left: Sequence[Left], timeout_s: float | None) -> None:
    from orchestra.operate.draining import COUNTED
    from orchestra.report.words import count

    def said(number: int, noun: str) -> str:
        return count(number, noun).replace(" ", "+ ", 1) if number >= COUNTED else count(number, noun)

    first = f"{what[0].upper()}{what[1:]}"
    parts = [
        said(number, noun)
        for noun, number in (
            ("message", sum(one.messages for one in left)),
            ("run", sum(one.runs for one in left)),
            ("call", sum(one.calls for one in left)),
        )
        if number
    ]
    if parts:
        console.out(
            f"{first} still has {', '.join(parts)} after {timeout_s:g} s. Nothing was paused; it goes on."
        )
    else:
        console.out(f"{first} is drained and paused.")
    if delayed := sum(one.delayed for one in left):
        console.note(f"{said(delayed, 'delayed message')} stay{'s' if delayed == 1 else ''} for later.")
