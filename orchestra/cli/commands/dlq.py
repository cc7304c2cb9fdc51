from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from orchestra.cli import dead_letters, options, pausing, whose
from orchestra.cli.completion import offers
from orchestra.cli.groups import DefaultGroup

F = TypeVar("F", bound=Callable[..., Any])


@click.group("dlq", cls=DefaultGroup)
def command() -> None:
    """Dead letters: messages that were given up after their last attempt, or at once because their handler said so.

    `orchestra dlq` alone lists them.

    \b
    Example:
      orchestra dlq --env production
      orchestra dlq redrive --env production --workload deliver-email --since 6h
    """


def _where(function: F) -> F:
    for option in reversed((options.specs(), whose.project, options.database)):
        function = option(function)
    return function


def _which(function: F) -> F:
    for option in reversed(
        (
            click.option(
                "--workload",
                "workloads",
                multiple=True,
                metavar="NAME",
                shell_complete=offers.workloads,
                help="Only those of this workload. Repeatable.",
            ),
            click.option("--error", metavar="TEXT", help="Only those whose error holds this, in any case."),
            click.option(
                "--since",
                type=options.Duration(),
                metavar="DURATION",
                help="Only those of the last 30m, 6h, 2d.",
            ),
        )
    ):
        function = option(function)
    return function


def _some(function: F) -> F:
    for option in reversed(
        (
            click.option(
                "--id",
                "ids",
                type=click.IntRange(1),
                multiple=True,
                metavar="ID",
                help="This letter. Repeatable.",
            ),
            click.option("--all", "every", is_flag=True, help="All that the other options leave."),
        )
    ):
        function = option(function)
    return function


@command.command("list")
@_where
@_which
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    metavar="N",
    help="Show N letters.",
)
@options.output_format("text", "json")
def _list(
    specs: tuple[Path, ...], project: str | None, db: str | None, environment: str | None, **how: Any
) -> None:
    """Show what fails and how often, then the newest letters. It only reads.

    \b
    Example:
      orchestra dlq --env production
      orchestra dlq list --env production --workload deliver-email --since 6h
    """
    dead_letters.listing((specs, project, db, environment), how)


@command.command("show")
@click.argument("number", type=click.IntRange(1), metavar="ID")
@_where
@options.output_format("text", "json")
def _show(
    number: int,
    specs: tuple[Path, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    form: str,
) -> None:
    """Show one letter whole: its error, its payload, what became of it. It only reads.

    \b
    Example:
      orchestra dlq show 1204 --env production
    """
    dead_letters.show((specs, project, db, environment), number, form)


@command.command("redrive")
@_where
@_some
@_which
@click.option(
    "--delay",
    type=options.Duration(),
    default=0.0,
    metavar="DURATION",
    help="They may begin after this long.",
)
@pausing.reason
@options.auto_approve
@options.output_format("text", "json")
def _redrive(
    specs: tuple[Path, ...], project: str | None, db: str | None, environment: str | None, **how: Any
) -> None:
    """Send letters back to their queues as new messages, with all their attempts before them. Say which: --id, --error,
    --since, --workload with --all, or --all. Letters of a run that goes on without them stay; that run can be tried
    again as a whole.

    \b
    Example:
      orchestra dlq redrive --env production --id 1204
      orchestra dlq redrive --env production --workload deliver-email --error "timed out" --since 6h
    """
    dead_letters.redrive((specs, project, db, environment), how)


@command.command("purge")
@_where
@_some
@_which
@click.option(
    "--expect",
    type=click.IntRange(0),
    metavar="N",
    help="How many there are, instead of typing it; any other number stops it.",
)
@pausing.reason
@options.output_format("text", "json")
def _purge(
    specs: tuple[Path, ...], project: str | None, db: str | None, environment: str | None, **how: Any
) -> None:
    """Delete letters for good. Their number has to be typed, or given with --expect; orchestra dlq export keeps a copy.

    \b
    Example:
      orchestra dlq export --env production --workload deliver-email --out letters.jsonl
      orchestra dlq purge --env production --workload deliver-email --all --expect 37
    """
    dead_letters.purge((specs, project, db, environment), how)


@command.command("export")
@_where
@_some
@_which
@click.option("--payloads", is_flag=True, help="Only what was sent, a line each.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write this file; an existing one is not overwritten. Default: stdout.",
)
def _export(
    specs: tuple[Path, ...], project: str | None, db: str | None, environment: str | None, **how: Any
) -> None:
    """Write letters as JSON, one a line, the oldest first, as they are at one moment. It only reads.

    \b
    Example:
      orchestra dlq export --env production --out letters.jsonl
      orchestra dlq export --env production --workload import-product --payloads | head
    """
    dead_letters.export((specs, project, db, environment), how)
