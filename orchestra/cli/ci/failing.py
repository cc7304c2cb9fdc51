"""A plan or a diff that could not be made. The comment of an earlier commit would look as if it were of this one."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from orchestra.cli.ci import children, runner
from orchestra.cli.ci.step import Step

FILE: Final = "failed.md"


def say(kind: Literal["plan", "diff"], step: Step, code: int) -> None:
    """In the summary, and in the comment that is there; none is made for it."""
    why = f"It ended with exit code {code}; the log of {runner.job()} says why."
    runner.summary(f"### orchestra {kind} failed\n\n{why}")
    if not step.comment or not runner.is_pull_request() or (marker := _marker(kind, step)) is None:
        return
    note = step.directory / FILE
    note.write_text(
        f"{marker}\n### orchestra {kind} failed\n\nFor the newest commit there is no {kind}. {why}\n",
        encoding="utf-8",
    )
    children.shown("comment", "--file", note, "--unless-fork", "--edit-only")


def _marker(kind: Literal["plan", "diff"], step: Step) -> str | None:
    """The first line of the comment, or None where the spec is too broken to tell whose it is."""
    from orchestra.cli import specs
    from orchestra.errors import OrchestraError
    from orchestra.report import plan_markdown
    from orchestra.report.review import Review

    try:
        spec = specs.load([Path(path) for path in step.specs]).spec
    except OrchestraError:
        return None
    if spec is None:
        return None
    environment = (step.environment or "default") if kind == "plan" else ""
    return plan_markdown.marker(Review(kind, spec.project, environment, (), ()))
