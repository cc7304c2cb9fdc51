"""Pause and resume as a person meets them: what stands where, a question, the verb, what it did."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from orchestra.cli import console, options, whose
from orchestra.cli.completion import offers
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.cli.operating import At
    from orchestra.operate.pausing import Gate

F = TypeVar("F", bound=Callable[..., Any])

reason = click.option(
    "--reason", metavar="TEXT", help="Why, for the ledger: orchestra history and status show it."
)


def arguments(function: F) -> F:
    """What pause and resume take alike."""
    for option in reversed(
        (
            options.specs(),
            click.option(
                "--workload",
                "workloads",
                multiple=True,
                metavar="NAME",
                shell_complete=offers.workloads,
                help="Only this workload. Repeatable. Default: the whole project.",
            ),
            whose.project,
            options.database,
            reason,
            options.auto_approve,
            options.output_format("text", "json"),
        )
    ):
        function = option(function)
    return function


def turn(
    paths: Sequence[Path],
    workloads: Sequence[str],
    project: str | None,
    db: str | None,
    environment: str | None,
    how: dict[str, Any],
    *,
    paused: bool,
) -> None:
    """Pause or resume. What is so already is told, and is no error."""
    from orchestra.cli.confirm import confirmed, require_someone
    from orchestra.cli.operating import at
    from orchestra.operate import pausing
    from orchestra.report import operate_json, operate_text

    if how.get("timeout") is not None and not how["wait"]:
        raise UsageError(
            "--timeout is for --wait, which was not given", "add --wait, or leave --timeout away"
        )
    require_someone(how["auto_approve"], "add --auto-approve")
    verb = "pause" if paused else "resume"
    with at(paths, project, db, environment) as here:
        gate = pausing.gate(here.database, here.project)
        chosen = gate.of(workloads)
        turned = _to_turn(gate, workloads, paused)
        if turned:
            what = operate_text.names([name for name in turned if name], here.project)
            if not how["auto_approve"]:
                seen = [w for w in chosen if not workloads or w.workload in turned]
                console.note(f"\n{operate_text.standings(seen, console.style(sys.stderr))}")
                if not confirmed(f"Do you want to {verb} {what}?", _meaning(gate, workloads, paused)):
                    console.note(f"Not {verb}d. Nothing was changed.")
                    raise click.exceptions.Exit(1)
            with here.acting(how["reason"]):
                for name in turned:
                    pausing.turn(here.database, here.project, name, paused=paused)
        if how["form"] == "text":
            _told(gate, workloads, turned, verb)
        going = _wait(here, workloads, how["timeout"]) if how.get("wait") else None
    if how["form"] == "json":
        more = {} if going is None else {"in_flight": going}
        console.document(operate_json.document(here.project, verb, workloads, changed=bool(turned), **more))
    elif going == 0:
        console.out("Nothing of it is in flight any more.")
    if going:
        console.note(f"{going:,} in flight had not ended after {how['timeout']:g} s. It stays paused.")
        raise click.exceptions.Exit(1)


def _to_turn(gate: Gate, workloads: Sequence[str], paused: bool) -> list[str | None]:
    """The workloads whose own gate is to be turned, [None] for the project's."""
    if not workloads:
        return [None] if gate.paused is not paused else []
    return [w.workload for w in gate.of(workloads) if w.paused is not paused]


def _meaning(gate: Gate, workloads: Sequence[str], paused: bool) -> str:
    if paused:
        return "Nothing new starts; what is running ends; messages are still taken in and wait."
    if workloads and gate.paused:
        return (
            "The project itself stays paused, so nothing starts before orchestra resume without --workload."
        )
    return "What waits starts at the next tick. Due times that fell into the pause are not made up for."


def _wait(here: At, workloads: Sequence[str], timeout_s: float | None) -> int:
    """What is still in flight in the end."""
    from orchestra.cli import waiting
    from orchestra.cli.ending import Interrupted
    from orchestra.operate import pausing

    try:
        # Whoever read the gate just before it was shut may take something in a moment: it is looked at twice.
        return waiting.until_none(
            lambda: pausing.in_flight(here.database, here.project, list(workloads)), int, timeout_s, looks=2
        )
    except KeyboardInterrupt:
        raise Interrupted("Interrupted. It stays paused; what is in flight ends by itself.") from None


def _told(gate: Gate, workloads: Sequence[str], turned: Sequence[str | None], verb: str) -> None:
    from orchestra.report import operate_text

    done = f"{verb}d" if verb.endswith("e") else f"{verb}ed"
    if turned:
        what = operate_text.names([name for name in turned if name], gate.project)
        console.out(f"{done.capitalize()} {what}.")
    same = [name for name in dict.fromkeys(workloads) if name not in turned]
    if same or not turned:
        what = operate_text.names(same, gate.project)
        already = "paused" if verb == "pause" else "not paused"
        console.out(f"{what[0].upper()}{what[1:]} {'are' if len(same) > 1 else 'is'} {already} already.")
    if verb == "resume":
        _still(gate, workloads)


def _still(gate: Gate, workloads: Sequence[str]) -> None:
    """What keeps work from starting all the same."""
    from orchestra.report import operate_text

    if workloads and gate.paused:
        console.note(f"Project {gate.project} is paused as a whole: orchestra resume opens it.")
    if not workloads and (left := [w.workload for w in gate.workloads if w.paused]):
        what = operate_text.names(left, gate.project)
        console.note(f"Paused by themselves, and still so: {what}. orchestra resume --workload opens them.")
