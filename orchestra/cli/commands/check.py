from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import approvals, console, options, specs

if TYPE_CHECKING:
    from orchestra.report.rule_doc import RuleDoc


@click.command("check")
@options.specs()
@options.output_format("text", "json", "github", "sarif")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings as well.")
def command(specs: tuple[Path, ...], form: str, strict: bool) -> None:
    """Find what is wrong with a spec: every problem in one run, each with its place, what it would do in
    production, and how to mend it. Without SPEC it is the nearest orchestra.yaml; a folder is read whole.
    Approvals beside the spec are looked at as well.

    Exits with 1 where there is an error. No database is needed.

    \b
    Example:
      orchestra check
      orchestra check orchestra/ --strict --format sarif > orchestra.sarif
    """
    _check(specs, form, strict)


def _check(paths: tuple[Path, ...], form: str, strict: bool) -> None:
    from orchestra.report import formats
    from orchestra.report.words import count

    committed = approvals.read(approvals.folders(paths))
    first, *others = specs.read_all(paths)
    readings = (first.with_findings(committed.findings).with_sources(committed.sources), *others)
    findings = tuple(d for r in readings for d in r.findings)
    sources = {name: text for r in readings for name, text in r.sources.items()}
    chosen = formats.by_name(form)
    style = console.style(sys.stdout)
    console.out(chosen.render(findings, sources, style, _rules()), end="")
    for reading in readings if chosen.for_people else ():
        if not reading.findings and reading.spec is not None:
            workloads = count(len(reading.spec.workloads), "workload")
            console.out(
                f"{style.paint('No problems.', 'bold', 'green')} Project {reading.spec.project}, {workloads}."
            )
    if any(r.has_errors for r in readings) or (strict and findings):
        raise click.exceptions.Exit(1)


def _rules() -> tuple[RuleDoc, ...]:
    from orchestra.check import RULES
    from orchestra.check.units import UNIT_CODES
    from orchestra.spec import CODES

    return (*CODES, *UNIT_CODES, *RULES)
