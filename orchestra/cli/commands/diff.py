from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import console, options
from orchestra.errors import UsageError
from orchestra.report.plan_formats import FORMS

if TYPE_CHECKING:
    from orchestra.spec.model import Spec

CHANGES = 2
UNAPPROVED = 5


@click.command("diff")
@options.specs("[SPEC]... | OLD NEW")
@click.option(
    "--base",
    metavar="BASE",
    help="What to compare with: a git revision, a folder or a file, such as origin/main.",
)
@click.option(
    "--merge-base",
    "from_merge_base",
    is_flag=True,
    help="Compare with the commit where this branch left BASE, not with BASE itself.",
)
@options.on_delete
@options.approval_files
@options.detailed_exitcode
@click.option(
    "--fail-on",
    type=click.Choice(["unapproved"]),
    help="Exit with 5 where a hazard needs an approval that is not committed.",
)
@options.output_format(*FORMS)
@options.summary
@click.option("--full", is_flag=True, help="Leave nothing out of a large difference.")
def command(specs: tuple[Path, ...], **choices: Any) -> None:
    """Compare specs without a database: the changes, categories and hazards of a plan against a database that is in
    step with the base, and what becomes of capacity and cost. Without BASE it takes two paths, OLD and NEW.

    \b
    Example:
      orchestra diff --base origin/main
      orchestra diff --base origin/main --merge-base --fail-on unapproved
      orchestra diff jobs/ --base v1.4.0 --format json
      orchestra diff old/orchestra.yaml orchestra.yaml
    """
    _diff(specs, **choices)


def _diff(
    paths: tuple[Path, ...],
    base: str | None,
    from_merge_base: bool,
    on_delete: str | None,
    approvals: Path | None,
    detailed_exitcode: bool,
    fail_on: str | None,
    form: str,
    summary: bool,
    full: bool,
) -> None:
    from orchestra import pipeline
    from orchestra.cli.approvals import committed
    from orchestra.report import plan_formats

    plan_formats.refuse(form, full=full, summary=summary)

    before, after, words, where = _both(paths, base, from_merge_base)
    wanted = pipeline.PlanOptions(environment="", on_delete=on_delete, approvals=committed(where, approvals))
    found = pipeline.difference(before, after, wanted, base=words, today=datetime.now(UTC).date())
    style = console.style(sys.stdout)
    shown = plan_formats.diff(form, found, spec=after, style=style, full=full, summary=summary)
    console.out(shown, end="")
    hazards = [h for c in found.changes for h in c.hazards if h.needs_approval and not h.approved]
    if fail_on and hazards:
        from orchestra.report.words import count

        one = len(hazards) == 1
        console.note(
            f"{count(len(hazards), 'hazard')} {'needs' if one else 'need'} an approval that is not committed. "
            'Write it with: orchestra approve --base BASE --reason "…"'
        )
        raise click.exceptions.Exit(UNAPPROVED)
    if detailed_exitcode and found.changes:
        raise click.exceptions.Exit(CHANGES)


def _both(
    paths: tuple[Path, ...], base: str | None, from_merge_base: bool
) -> tuple[Spec | None, Spec, str, tuple[Path, ...]]:
    """Before, after, what the first is in words, and where the second lies."""
    from orchestra.cli.base import find
    from orchestra.cli.specs import require

    if base is not None:
        after = require(paths)
        found = find(base, paths, after, from_merge_base=from_merge_base)
        return found.spec, after, found.words, paths
    if from_merge_base:
        raise UsageError(
            "--merge-base says where to look at a base, and there is none", "add --base origin/main"
        )
    if len(paths) != 2:
        have = {0: "nothing to compare with", 1: f"only {paths[0] if paths else ''}"}.get(
            len(paths), f"{len(paths)} paths"
        )
        raise UsageError(
            f"diff compares two specs, and there is {have}"
            if len(paths) < 2
            else f"diff compares two specs, not {have}",
            "name what to compare with: orchestra diff --base origin/main (a revision, a folder or a file), or "
            "orchestra diff OLD NEW",
        )
    old, new = paths
    return require((old,)), require((new,)), str(old), (new,)
