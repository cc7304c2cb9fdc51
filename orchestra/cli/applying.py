"""The end of apply and destroy: refuse, ask, run, and say what was done."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import actor, confirm, console, git, planning

if TYPE_CHECKING:
    from orchestra.pipeline import PlanOptions
    from orchestra.plan.model import Plan


def finish(
    connection: Any,
    plan: Plan,
    options: PlanOptions,
    *,
    verb: str,
    auto_approve: bool,
    lock_timeout: float | None,
    form: str = "text",
    show_sql: bool = False,
    full: bool = False,
) -> None:
    """Shows the plan, asks, and applies it. `verb` is `apply` or `destroy`. With `form` json the plan goes to
    stderr, and stdout gets one object that says what was done."""
    from orchestra import pipeline

    # A plan with blockers goes on to apply, which refuses it: one place says with what word and which exit code.
    asked = not plan.is_empty and not plan.blockers and not auto_approve
    # The question is on stderr, and so is what it asks about where stdout is somewhere else.
    elsewhere = form == "json" or (asked and not console.is_terminal(sys.stdout))
    planning.shown(plan, show_sql=show_sql, full=full, stderr=elsewhere)
    if asked:
        _ask(plan, verb)
    if plan.is_empty and not plan.blockers:
        if form == "json":
            console.out(json.dumps(_result(plan, None), indent=2))
        return

    def run(progress: Callable[[int, int, str], None]) -> Any:
        return pipeline.apply(
            connection,
            plan,
            options,
            lock_timeout_s=lock_timeout,
            git_commit=git.commit(Path.cwd()),
            actor=actor.name(),
            on_progress=progress,
        )

    applied = planning.carry_out(plan, run)
    if form == "json":
        console.out(json.dumps(_result(plan, applied), indent=2))
    else:
        console.out(_done(plan, verb, applied))


def _ask(plan: Plan, verb: str) -> None:
    from orchestra.report.plan_text import database

    where = f"{database(plan.target)} (environment {plan.target.environment})"
    question = (
        f"Do you really want to destroy {plan.project}'s resources in {where}?"
        if verb == "destroy"
        else f"Do you want to make these changes in {where}?"
    )
    detail = "orchestra will do exactly what is shown above, or nothing."
    if len(plan.batches) > 1:
        detail = "orchestra will do exactly what is shown above, transaction by transaction."
    if not confirm.confirmed(question, detail):
        console.note(f"{verb.capitalize()} cancelled. Nothing was changed.")
        raise click.exceptions.Exit(1)


def _counts(plan: Plan) -> dict[str, int]:
    """As of a plan, in words for what has been done."""
    from orchestra.plan.model import tally

    return dict(zip(("added", "changed", "destroyed"), tally(plan.changes).values(), strict=True))


def _done(plan: Plan, verb: str, applied: Any) -> str:
    """`Apply complete! 3 added, 1 changed, 0 destroyed.`, how it was proved, and the conditions again."""
    style = console.style(sys.stdout)
    counts = ", ".join(f"{number:,} {word}" for word, number in _counts(plan).items())
    ledger = ", ".join(f"#{number}" for number in applied.deployment_ids)
    took = f"{applied.seconds:.1f} s" if applied.seconds >= 1 else f"{applied.seconds * 1000:.0f} ms"
    lines = [
        style.paint(f"{verb.capitalize()} complete! {counts}.", "bold", "green"),
        style.dim(f"Proved by a second plan before the commit; deployment {ledger or '-'}, {took}."),
    ]
    if plan.conditions:
        from orchestra.report import plan_text

        lines += ["", plan_text.conditions(plan.conditions, style)]
    return "\n".join(lines)


def _result(plan: Plan, applied: Any) -> dict[str, Any]:
    from orchestra.report import change_json, masked, plan_json

    return {
        "format_version": 1,
        "project": plan.project,
        "plan_hash": plan_json.digest(plan),
        **_counts(plan),
        "batches": applied.batches if applied else 0,
        "deployment_ids": list(applied.deployment_ids) if applied else [],
        "seconds": round(applied.seconds, 3) if applied else 0,
        "conditions": [change_json.encode_condition(masked.note(c)) for c in plan.conditions],
    }
