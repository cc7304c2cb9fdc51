"""Which state of the repository a plan was made from. A merge gives the commit another hash but, if nothing else has
come in between, the same tree: so the tree is what is compared."""

from __future__ import annotations

from pathlib import Path

from orchestra.cli.ci import children
from orchestra.errors import StalePlanError, UsageError


def note(plan: Path) -> None:
    """Write the tree beside the plan, as `plan.tree`; nothing where there is no repository."""
    if tree := _tree():
        _beside(plan).write_text(f"{tree}\n", encoding="utf-8")


def require(plan: Path) -> None:
    """StalePlanError unless what is checked out is what the plan was made from."""
    file = _beside(plan)
    if not file.is_file():
        raise UsageError(
            f"{file.name} is not beside {plan.name}, so nobody can tell what the plan was made from",
            "carry the whole directory of the plan from one job to the other, not the plan alone",
        )
    made, here = file.read_text(encoding="utf-8").strip(), _tree()
    if here is None:
        raise UsageError(
            "git cannot say what is checked out here", "check the repository out before applying a plan"
        )
    if made != here:
        raise StalePlanError(
            f"the plan was made from other files (tree {made[:12]}) than those that are checked out ({here[:12]})",
            "plan again from this commit, and apply that",
        )


def _beside(plan: Path) -> Path:
    return plan.with_suffix(".tree")


def _tree() -> str | None:
    return children.git("rev-parse", "--verify", "--quiet", "HEAD^{tree}")
