"""A plan that is saved for a later apply."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.cli import console, files
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.plan.model import Plan


def save(plan: Plan, path: Path) -> None:
    """Writes it where only its owner reads, and says on stderr what can be done with it."""
    from orchestra.report import plan_json

    files.write(path, plan_json.dump(plan), private=True)
    if plan.blockers:
        console.note("\nSaved, to be read: apply refuses it as long as something stands in its way.")
    elif plan.is_empty:
        console.note("\nSaved. There is nothing in it to apply.")
    else:
        # apply has to be told the database as plan was.
        where = plan.target.where
        told = " --db URL" if where == "--db" else ""
        told = f" --env {plan.target.environment}" if where.startswith("--env ") else told
        console.note(f"\nSaved. To do exactly this: orchestra apply {path}{told}")


def overwritable(path: Path | None) -> None:
    """UsageError where --out would destroy something that is no plan, such as the spec."""
    from orchestra.report import plan_json

    if path is not None and path.is_dir():
        raise UsageError(f"{path} is a folder", "give --out the name of a file")
    if path is not None and path.is_file() and not plan_json.is_plan(files.read(path)):
        raise UsageError(f"{path} exists and is no plan", "give --out another name, or remove it first")
