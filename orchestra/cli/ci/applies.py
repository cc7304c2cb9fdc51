"""The step that changes something."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestra.cli.ci import children, made_at, reviews, runner
from orchestra.cli.ci.step import Step
from orchestra.errors import StalePlanError, UsageError

_STALE = StalePlanError.exit_code


def apply(step: Step) -> int:
    """Apply a saved plan, if it was made from what is checked out. Where the database has changed since, plan again,
    for people to read, and fail: what nobody has read is not applied."""
    saved = reviews.require(step.plan_file)
    made_at.require(saved)
    code, text = children.watched(
        "apply",
        saved.absolute(),
        *step.env,
        "--auto-approve",
        "--format",
        "json",
        *step.arguments,
        where=_home(step),
    )
    if code == 0:
        _applied(json.loads(text))
        return 0
    if code == _STALE:
        _plan_again(step)
    else:
        runner.summary(
            f"### orchestra apply failed\n\nIt ended with exit code {code}; the log of the step says why."
        )
    return code


def _home(step: Step) -> Path | None:
    """Where apply finds the spec that says what the environment is: it looks from there on upwards."""
    if not step.specs or not step.environment:
        return None
    first = Path(step.specs[0])
    home = first if first.is_dir() else first.parent
    from orchestra.spec import find_spec

    if find_spec(home) is None:
        raise UsageError(
            f"a saved plan finds its environment in an orchestra.yaml, and there is none in {home} or above it",
            "give the spec that name, or its folder one",
        )
    return home


def _applied(done: dict[str, Any]) -> None:
    counts = ", ".join(f"{done[word]:,} {word}" for word in ("added", "changed", "destroyed"))
    ledger = ", ".join(f"#{number}" for number in done["deployment_ids"]) or "none was needed"
    sentence = f"{done['project']}: {counts}. Deployment: {ledger}."
    runner.summary(f"### Applied\n\n{sentence}")
    runner.notice(f"Applied. {sentence}")
    runner.output(add=done["added"], change=done["changed"], destroy=done["destroyed"])
    runner.output(changes="true" if done["deployment_ids"] else "false")


def _plan_again(step: Step) -> None:
    runner.summary(
        "### The plan is stale\n\nThe database has changed since it was made, and nothing was applied. What would be "
        "done now follows; run the whole workflow again to have it approved and applied."
    )
    reviews.plan(replace(step, comment=False))
