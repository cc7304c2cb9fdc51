"""The project that a command means, by its spec or by its name, where its spec may be gone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import console
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.pipeline import PlanOptions
    from orchestra.spec.model import Spec

project = click.option("--project", metavar="NAME", help="The project, where its spec is not at hand.")
limit = click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=20,
    show_default=True,
    metavar="N",
    help="Show this many deployments.",
)


def spec_of(paths: Sequence[Path], name: str | None, environment: str | None) -> Spec | None:
    """The spec, where it is needed: for the project's name, or for what `--env` means. No rule is asked, so that a spec
    that has just become wrong keeps nobody from going back."""
    if not _needed(paths, name, environment):
        return None
    from orchestra.cli import specs
    from orchestra.spec import find_spec

    if not paths and find_spec(Path.cwd()) is None:
        raise UsageError(
            "there is no orchestra.yaml here or in a directory above",
            "name the spec, or give --project NAME and --db URL",
        )
    reading = specs.load(paths)
    if reading.spec is None:
        from orchestra.report import text

        console.note(text.render(reading.findings, reading.sources, console.style(sys.stderr)), end="")
        raise click.exceptions.Exit(1)
    return reading.spec


def sound_spec_of(paths: Sequence[Path], name: str | None, environment: str | None) -> Spec | None:
    """The same for what is about to change something by it: a spec with errors ends the command."""
    from orchestra.cli.specs import require

    return require(paths) if _needed(paths, name, environment) else None


def either(paths: Sequence[Path], name: str | None) -> None:
    """UsageError where a project is meant in both ways."""
    if name is not None and paths:
        raise click.UsageError("Give either SPEC or --project, not both.")


def _needed(paths: Sequence[Path], name: str | None, environment: str | None) -> bool:
    either(paths, name)
    return name is None or environment is not None


def wherever_it_is(options: PlanOptions, spec: Spec | None) -> PlanOptions:
    """Without a spec nothing says which environment is meant: whichever the database holds."""
    return options if spec is not None else replace(options, environment="")


def named(spec: Spec | None, name: str | None) -> str:
    return name or (spec.project if spec else "")
