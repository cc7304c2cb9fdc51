from __future__ import annotations

import sys
from pathlib import Path

import click

from orchestra.cli import console, options
from orchestra.cli.completion import offers


@click.command("explain")
@click.argument("what", nargs=-1, metavar="[SPEC | WORKLOAD]...", shell_complete=offers.specs_and_workloads)
@click.option(
    "--workload",
    multiple=True,
    metavar="NAME",
    shell_complete=offers.workloads,
    help="Only this one. Repeatable.",
)
@options.output_format("text", "json")
def command(what: tuple[str, ...], workload: tuple[str, ...], form: str) -> None:
    """Show how each workload will run, or only those that are named: the pattern, the reasons with the
    numbers that they used, and what it can do at most. No database is needed.

    \b
    Example:
      orchestra explain bulk-import
      orchestra explain shop.yaml --format json
    """
    paths = tuple(Path(item) for item in what if _is_path(item))
    _explain(paths, (*workload, *(item for item in what if not _is_path(item))), form)


def _is_path(text: str) -> bool:
    """A workload's name has neither a slash nor a suffix, and a spec is there."""
    return "/" in text or text.endswith((".yaml", ".yml")) or Path(text).exists()


def _explain(paths: tuple[Path, ...], names: tuple[str, ...], form: str) -> None:
    from orchestra.classify import classify
    from orchestra.cli.specs import known, require
    from orchestra.report import explain

    spec = require(paths)
    for name in names:
        known(spec, name)
    found = [classify(w, spec.platform) for w in spec.workloads if not names or w.name in names]
    if form == "json":
        console.document(explain.render_json(found), end="")
    else:
        console.out(explain.render_text(found, console.style(sys.stdout)), end="")
