from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import console, files, options
from orchestra.cli.completion import offers
from orchestra.errors import UsageError
from orchestra.report.plan_formats import FORMS

if TYPE_CHECKING:
    from orchestra.plan.model import Plan
    from orchestra.spec.model import Spec


@click.command("show")
@click.argument("saved", metavar="PLAN.json", type=click.Path(path_type=Path), shell_complete=offers.plans)
@options.specs()
@options.output_format(*FORMS)
@options.summary
@options.detail
def command(
    saved: Path, specs: tuple[Path, ...], form: str, summary: bool, show_sql: bool, full: bool
) -> None:
    """Show a plan that orchestra plan --out saved, without a database. The spec lends annotations their lines, and the
    page its graph; without SPEC it is the nearest orchestra.yaml, if that is the project of the plan.

    \b
    Example:
      orchestra show plan.json
      orchestra show plan.json --format html > plan.html
      orchestra show plan.json --format markdown --summary >> "$GITHUB_STEP_SUMMARY"
    """
    _show(saved, specs, form, summary=summary, show_sql=show_sql, full=full)


def _show(
    saved: Path, paths: tuple[Path, ...], form: str, *, summary: bool, show_sql: bool, full: bool
) -> None:
    from orchestra.report import plan_formats, plan_json

    plan_formats.refuse(form, show_sql=show_sql, full=full, summary=summary)
    text = files.read(saved)
    plan = plan_json.load(text, to_run=False)
    spec = _asked_for(paths, plan) if paths else _at_hand(plan) if form not in ("text", "json") else None
    if form == "json":
        # As it is: written again, a plan that lost its secrets would look runnable.
        console.out(text, end="")
    else:
        style = console.style(sys.stdout)
        shown = plan_formats.plan(
            form, plan, spec=spec, style=style, show_sql=show_sql, full=full, summary=summary
        )
        console.out(shown, end="")
    if masked := json.loads(text)["masked"]:
        console.note(f"\nIt can be read and not applied: a secret was left out of {', '.join(masked[:5])}.")


def _asked_for(paths: tuple[Path, ...], plan: Plan) -> Spec:
    """The spec that was given: it has to be that of the plan."""
    from orchestra.cli.specs import require

    spec = require(paths)
    if spec.project != plan.project:
        raise UsageError(
            f"the spec is of project {spec.project}, and the plan of {plan.project}",
            "give the spec that the plan was made from, or none",
        )
    return spec


def _at_hand(plan: Plan) -> Spec | None:
    """The nearest spec, if it is there, sound, and of the plan's project; what kept it from use is said."""
    from orchestra.cli import specs
    from orchestra.spec import find_spec

    if find_spec(Path.cwd()) is None:
        return None
    reading = specs.load(())
    found = reading.spec
    if found is None or reading.has_errors:
        console.note(f"{reading.paths[0]} has errors (orchestra check shows them): shown without it.")
        return None
    if found.project != plan.project:
        console.note(f"{reading.paths[0]} is of project {found.project}: shown without it.")
        return None
    return found
