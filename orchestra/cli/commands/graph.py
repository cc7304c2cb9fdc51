from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import console, options

if TYPE_CHECKING:
    from orchestra.report.workload_graph import Lane

_FORMATS = ("mermaid", "dot", "svg")


@click.command("graph")
@options.specs()
@options.only_workload
@options.output_format(*_FORMATS)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it to this file, and over a graph that is there.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Keep the graph of a markdown file up to date: what stands between <!-- orchestra graph --> and "
    "<!-- /orchestra graph -->.",
)
@click.option(
    "--check", is_flag=True, help="With --into: write nothing, and exit with 1 where it is out of date."
)
def command(
    specs: tuple[Path, ...],
    workload: str | None,
    form: str,
    out: Path | None,
    into: Path | None,
    check: bool,
) -> None:
    """Draw what starts each workload, where its messages wait, what works them off, and where failures go. It needs no
    database.

    \b
    Example:
      orchestra graph
      orchestra graph --workload import-product --format svg --out import.svg
      orchestra graph --into README.md
    """
    _graph(specs, workload, form, out, into, check)


def _graph(
    paths: tuple[Path, ...], workload: str | None, form: str, out: Path | None, into: Path | None, check: bool
) -> None:
    from orchestra.cli.specs import known
    from orchestra.cli.units import units
    from orchestra.errors import UsageError
    from orchestra.report.graph.picture import of_spec

    if into is not None and (out is not None or form != "mermaid"):
        raise UsageError("--into writes mermaid into a markdown file", "leave --format and --out away")
    if check and into is None:
        raise UsageError("--check looks at a file, and there is none", "add --into README.md")
    found = units(paths)
    if workload is not None and len(found) == 1:
        known(found[0].spec, workload)
    lanes = [lane for unit in found for lane in of_spec(unit.spec, workload)]
    if workload is not None and not lanes:
        raise UsageError(f"none of the specs has a workload {workload!r}")
    if into is not None:
        _into(into, lanes, check)
        return
    text = _drawn(form, lanes, ", ".join(unit.spec.project for unit in found))
    if form == "mermaid":
        _warn(lanes, text)
    if out is None:
        console.out(text, end="")
    else:
        _write(out, text)


def _drawn(form: str, lanes: list[Lane], project: str) -> str:
    from orchestra.report.graph import dot, mermaid, svg

    match form:
        case "mermaid":
            return mermaid.render(lanes)
        case "dot":
            return dot.render(lanes)
        case _:
            return svg.render(lanes, project)


def _warn(lanes: list[Lane], text: str) -> None:
    from orchestra.report.graph import mermaid

    if said := mermaid.too_large(lanes, text):
        console.note(
            f"Note: GitHub shows an error in its place: {said}. Draw one with --workload NAME, or all with "
            "--format svg."
        )


def _write(out: Path, text: str) -> None:
    """Over a graph, of whatever kind, but over nothing else."""
    from orchestra.cli import files
    from orchestra.errors import UsageError

    if out.is_file() and not files.read(out).startswith(
        ("flowchart LR\n", "digraph orchestra {\n", "<svg xmlns=")
    ):
        raise UsageError(f"{out} exists and is no graph", "give --out another name, or remove it first")
    files.write(out, text)
    console.note(f"Wrote {out}.")


def _into(path: Path, lanes: list[Lane], check: bool) -> None:
    from orchestra.cli import files
    from orchestra.errors import UsageError
    from orchestra.report.graph import mermaid, section

    before, drawn = files.read(path), mermaid.render(lanes)
    after = section.replaced(before, drawn)
    if after is None and section.begun(before) > 1:
        raise UsageError(
            f"{path} has more than one line {section.BEGIN}",
            "leave one; a line that only shows how it is written is to be indented",
        )
    if after is None:
        raise UsageError(
            f"{path} has no place for a graph",
            f"write two lines where it is to stand: {section.BEGIN} and {section.END}",
        )
    _warn(lanes, drawn)
    if after == before:
        console.note(f"{path} is up to date.")
    elif check:
        console.note(f"{path} is out of date: orchestra graph --into {path}")
        raise click.exceptions.Exit(1)
    else:
        files.write(path, after)
        console.note(f"Wrote the graph into {path}.")
