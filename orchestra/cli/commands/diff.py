from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import console, options

if TYPE_CHECKING:
    from orchestra.plan.model import Change

CHANGES = 2


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@options.detailed_exitcode
@options.output_format("text", "json")
@click.option("--full", is_flag=True, help="Leave nothing out of a large difference.")
def command(old: Path, new: Path, detailed_exitcode: bool, form: str, full: bool) -> None:
    """Compare what two specs compile to, without a database. What an apply would do also depends on what is
    live: see orchestra plan.

    \b
    Example:
      orchestra diff old/orchestra.yaml orchestra.yaml
      git show main:orchestra.yaml > /tmp/main.yaml && orchestra diff /tmp/main.yaml orchestra.yaml
    """
    _diff(old, new, detailed_exitcode, form, full)


def _diff(old: Path, new: Path, detailed_exitcode: bool, form: str, full: bool) -> None:
    from orchestra import pipeline
    from orchestra.cli.specs import require
    from orchestra.report import plan_json

    before, after = (pipeline.compile_spec(require((path,))) for path in (old, new))
    found = pipeline.diff(before, after)
    if form == "json":
        console.out(plan_json.changes(found), end="")
    else:
        console.out(_text(found, full), end="")
    if detailed_exitcode and found:
        raise click.exceptions.Exit(CHANGES)


def _text(found: tuple[Change, ...], full: bool) -> str:
    from orchestra.report import plan_text

    return plan_text.difference(found, console.style(sys.stdout), full=full)
