"""`python -m orchestra.dev start|ticker|functions|psql|stop DIRECTORY`: the embedded database by hand."""

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


@main.command()
@_DIRECTORY
@click.argument("functions", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--env-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="NAME=value lines."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Where they answer; by default any free port."
)
def functions(directory: Path, functions: Path, env_file: Path | None, port: int) -> None:
    """Serve the Edge Functions in FUNCTIONS (`supabase/functions`) and run the cron jobs, until Ctrl-C.

    Deno comes with: pip install 'orchestra[dev-functions]'. Their address and a key for them are put into Vault.
    """
    from dotenv import dotenv_values

    from orchestra.dev.edge import EdgeError
    from orchestra.dev.serve import serving, until_told

    env = (
        {name: value for name, value in dotenv_values(env_file).items() if value is not None}
        if env_file
        else {}
    )
    try:
        with serving(_started(directory), functions, env, port=port, say=click.echo):
            until_told()
    except EdgeError as error:
        raise click.ClickException(str(error)) from error


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
