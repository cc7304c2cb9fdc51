from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import console, files, options
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.cli.database import Chosen
    from orchestra.importing import Imported, Options
    from orchestra.spec.model import Spec


@click.command("import")
@options.database
@click.option(
    "--project", metavar="NAME", help="What the new project is called. Default: after the database."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the spec to this file. Default: print it.",
)
@click.option("--overwrite", is_flag=True, help="Write --out even where that file exists.")
@options.output_format("yaml", "json")
def command(
    db: str | None, environment: str | None, project: str | None, out: Path | None, overwrite: bool, form: str
) -> None:
    """Write a spec of the queues and cron jobs that a database holds already, made by hand or by other tools. It only
    reads. What a spec cannot hold stands in it as a comment, with the reason.

    \b
    Example:
      orchestra import --db "$DATABASE_URL" --project shop --out orchestra.yaml
    """
    from orchestra import pipeline
    from orchestra.cli import planning
    from orchestra.cli.database import choose

    if overwrite and out is None:
        raise UsageError("--overwrite needs --out FILE", "without --out nothing is written")
    if out is not None and out.exists() and not overwrite:
        raise UsageError(
            f"{out} exists",
            "give --out another name and merge the two, or give --overwrite to lose what is in it",
        )
    spec = _nearest() if environment is not None else None
    chosen = choose(db, environment, spec, (), make=False)
    with planning.connected(chosen) as connection:
        found = pipeline.import_database(connection, _options(chosen, spec, db, project, out, form))
    text = _text(found, form)
    if out is None:
        console.out(text, end="")
    else:
        files.write(out, text)
    _say(found, out)


def _nearest() -> Spec | None:
    from orchestra.cli.specs import load, nearest

    return load((nearest(),)).spec


def _options(
    chosen: Chosen, spec: Spec | None, db: str | None, project: str | None, out: Path | None, form: str
) -> Options:
    from orchestra.importing import Options

    where: tuple[str, ...] = ()
    environment = None
    if db is not None:
        # The URL may hold a password, and what is written here goes into a repository.
        where = ('--db "$DATABASE_URL"',)
    elif spec is not None and chosen.environment != "default":
        found = next((e for e in spec.environments if e.name == chosen.environment), None)
        if found is None or found.database_env is None:
            where = ('--db "$DATABASE_URL"',)  # one of a fleet, which is no entry of a new spec
        else:
            where, environment = (f"--env {found.name}",), (found.name, found.database_env)
    name = str(out) if out is not None and form == "yaml" else "orchestra.yaml"
    return Options(project, name, where, environment)


def _text(found: Imported, form: str) -> str:
    if form == "yaml":
        return found.text
    from orchestra.importing.document import dump

    return dump(found)


def _say(found: Imported, out: Path | None) -> None:
    """What was done, what is left, and the next command: beside the result."""
    from orchestra.report.words import count

    made, left = len(found.made), len(found.left_out)
    if out is not None:
        console.note(f"Wrote {out}: project {found.project}, {count(made, 'workload')}.")
    else:
        console.note(f"Project {found.project}, {count(made, 'workload')}.")
    for note in found.notes:
        console.note(note)
    if left:
        console.note(
            f"{count(left, 'thing')} could not be imported; the end of the spec says which, and why."
        )
    for tool in found.tools:
        console.note(tool)
    if found.warnings:
        words = count(len(found.warnings), "warning")
        console.note(f"{words}; orchestra check shows {'it' if len(found.warnings) == 1 else 'them'}.")
    if found.made:
        console.note(f"Next, read the spec, then:\n\n{found.command}")
