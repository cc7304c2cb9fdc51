"""`python -m orchestra.dev start|ticker|psql|stop DIRECTORY`: the embedded database by hand."""

from __future__ import annotations

import os
from pathlib import Path

import click

from orchestra.dev import embedded
from orchestra.dev.binaries import tool
from orchestra.dev.errors import DevDatabaseError

_DIRECTORY = click.argument("directory", type=click.Path(path_type=Path))


@click.group()
def main() -> None:
    """The embedded database of a project, which lives in DIRECTORY (`.orchestra`)."""


@main.command()
@_DIRECTORY
def start(directory: Path) -> None:
    """Start it where it does not run, and print its URL."""
    click.echo(_started(directory))


@main.command()
@_DIRECTORY
def stop(directory: Path) -> None:
    """Stop it."""
    if not (directory / "postgres").is_dir():
        raise click.ClickException(f"there is no embedded database in {directory}")
    embedded.stop(directory)


@main.command()
@_DIRECTORY
def ticker(directory: Path) -> None:
    """Run its cron jobs, until Ctrl-C: they run while this does."""
    from orchestra.dev import ticker as clock

    click.echo("The jobs of this database run while this does. Ctrl-C ends it.", err=True)
    raise SystemExit(clock.main(["--db", _started(directory)]))


@main.command(context_settings={"ignore_unknown_options": True})
@_DIRECTORY
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(directory: Path, arguments: tuple[str, ...]) -> None:
    """Run psql on it; ARGUMENTS go to psql."""
    program = tool("psql")
    os.execv(program, [program, "--no-psqlrc", "-v", "ON_ERROR_STOP=1", *arguments, _started(directory)])


def _started(directory: Path) -> str:
    try:
        return embedded.start(directory).dsn
    except DevDatabaseError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
