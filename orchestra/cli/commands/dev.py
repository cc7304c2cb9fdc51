from __future__ import annotations

import os
from pathlib import Path

import click

from orchestra.cli import console, options
from orchestra.cli.groups import Nameless, NamelessGroup

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class _Dev(NamelessGroup):
    """`orchestra dev` runs and `orchestra dev stop` stops."""

    default = "run"


@click.group("dev", cls=_Dev)
def command() -> None:
    """The whole loop on this machine. orchestra dev alone runs it; stop, url and psql are for another terminal."""


@command.command("run", cls=Nameless)
@options.specs()
@click.option(
    "--setup",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="SQL for the app's own tables, run once for each content. Repeatable.",
)
@click.option(
    "--env-file",
    type=_FILE,
    metavar="FILE",
    help="NAME=value lines for handlers. Default: supabase/functions/.env.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Where functions answer. Default: 54321, or any other where that is taken.",
)
@click.option(
    "--fresh", is_flag=True, help="Remove the embedded database with all that is in it, and begin anew."
)
@click.option("--keep", is_flag=True, help="Leave the embedded database running at the end.")
@click.option("--no-watch", is_flag=True, help="Take up nothing that is saved.")
@options.output_format("text", "json")
def _run(
    specs: tuple[Path, ...],
    setup: tuple[Path, ...],
    env_file: Path | None,
    port: int | None,
    fresh: bool,
    keep: bool,
    no_watch: bool,
    form: str,
) -> None:
    """Run everything on this machine, without Docker: PostgreSQL with pgmq, cron jobs, and the Edge Functions in Deno.
    The spec is applied, and applied again whenever you save it; handlers are taken up as you save them. One log
    tells what becomes of each message. Ctrl-C stops it; the data stays in .orchestra/.

    A running Supabase stack is used instead: its database, its cron, its functions.

    \b
    orchestra dev stop    stop what runs for this folder
    orchestra dev url     print the URL of the embedded database, started where it does not run
    orchestra dev psql    run psql on it

    \b
    Example:
      orchestra dev
      orchestra dev orchestra.yaml edge.yaml --setup setup.sql --env-file .env
      orchestra dev --fresh
      orchestra dev --format json | jq 'select(.level != "info")'
    """
    from orchestra.cli.dev.session import Wishes, run

    run(specs, Wishes(fresh, keep, not no_watch, port, env_file, setup, form == "json"))


@command.command("stop")
@options.specs()
def _stop(specs: tuple[Path, ...]) -> None:
    """Stop what runs for this folder: a session in another terminal or in the background, and the embedded
    database. The data stays.

    \b
    Example:
      orchestra dev stop
    """
    from orchestra.cli.dev.session import stop

    stop(specs)


@command.command("url")
@options.specs()
def _url(specs: tuple[Path, ...]) -> None:
    """Print the URL of the embedded database of this folder, which is made and started where it does not run. It
    runs until orchestra dev stop; its cron jobs run while orchestra dev does.

    \b
    Example:
      export ORCHESTRA_DATABASE_URL="$(orchestra dev url)"
    """
    from orchestra.cli.dev import place
    from orchestra.dev import embedded

    console.out(embedded.start(place.directory(specs)).dsn)


@command.command("psql", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGUMENTS]...")
def _psql(arguments: tuple[str, ...]) -> None:
    """Run psql on the embedded database of this folder, which is started where it does not run. ARGUMENTS are
    psql's.

    \b
    Example:
      orchestra dev psql
      orchestra dev psql -c 'select * from orchestra.status()'
    """
    from orchestra.cli.dev import place
    from orchestra.dev import embedded
    from orchestra.dev.binaries import tool

    program, url = tool("psql"), embedded.start(place.directory(())).dsn
    os.execv(program, [program, "--no-psqlrc", "-v", "ON_ERROR_STOP=1", *arguments, url])
