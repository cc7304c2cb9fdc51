from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import console, files, options

if TYPE_CHECKING:
    from orchestra.ir.program import Program
    from orchestra.spec.model import Spec

FILE = "orchestra.sql"
_LARGE = 1_000


@click.command("compile")
@options.specs()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The directory to write into.")
@click.option("--check", is_flag=True, help=f"Write nothing; exit with 1 where {FILE} there is another.")
def command(specs: tuple[Path, ...], out: Path | None, check: bool) -> None:
    """Compile a spec to SQL that can be run again and again. It is the same for every environment, and the
    same bytes each time. Without --out it goes to stdout; with it, to orchestra.sql in that directory.

    \b
    Example:
      orchestra compile --out supabase/generated
      orchestra compile --out supabase/generated --check
      orchestra compile | psql "$DATABASE_URL" --single-transaction
    """
    if check and out is None:
        raise click.UsageError("--check compares with what is in a directory: add --out DIR")
    _compile(specs, out, check)


def _compile(paths: tuple[Path, ...], out: Path | None, check: bool) -> None:
    from orchestra import pipeline
    from orchestra.cli.specs import require
    from orchestra.spec.parsing import no_collection

    # One road over many values that all live to its end: collecting on the way would only walk them.
    with no_collection():
        spec = require(paths)
        program = pipeline.compile_spec(spec)
        text = pipeline.emit_sql(program, spec)
    _leave_in_place(spec, program)
    _mention_functions(spec)
    if out is None:
        console.out(text, end="")
        return
    path = out / FILE
    if check:
        _compare(path, text)
        return
    if path.exists() and files.read(path) == text:
        console.note(f"{path} is up to date.")
        return
    files.write(path, text)
    console.note(f"Wrote {path}.")


def _leave_in_place(spec: Spec, program: Program) -> None:
    """Let the process end without taking a large spec apart, object by object: that is a tenth of the whole run.

    A list that holds itself and is frozen is freed neither by counting nor by collecting.
    """
    if len(spec.workloads) < _LARGE:
        return
    kept: list[object] = [spec, program]
    kept.append(kept)
    gc.freeze()


def _compare(path: Path, text: str) -> None:
    """Exit 1 where the file is not what the spec compiles to; the first lines that differ are shown."""
    from difflib import unified_diff

    if not path.exists():
        console.fail(f"{path} does not exist", f"write it with: orchestra compile --out {path.parent}")
        raise click.exceptions.Exit(1)
    found = files.read(path)
    if found == text:
        console.note(f"{path} is up to date.")
        return
    rows = list(
        unified_diff(
            found.splitlines(), text.splitlines(), str(path), "what the spec compiles to", n=1, lineterm=""
        )
    )
    shown = rows[:20] + ([f"… {len(rows) - 20} more lines"] if len(rows) > 20 else [])
    style = console.style(sys.stderr)
    looks = {"+": "green", "-": "red", "@": "dim"}
    console.note("\n".join(style.paint(row, looks[row[0]]) if row[:1] in looks else row for row in shown))
    console.fail(
        f"{path} differs from what the spec compiles to",
        f"write it with: orchestra compile --out {path.parent}",
    )
    raise click.exceptions.Exit(1)


def _mention_functions(spec: Spec) -> None:
    """A spec may have parts that become Edge Functions; it must not look as if they were compiled."""
    from orchestra.report.words import count
    from orchestra.spec.model import EdgeHandler

    edge = [
        w.name
        for w in spec.workloads
        if any(isinstance(part.handler, EdgeHandler) for part in (w.steps or (w,)))
    ]
    if edge:
        first = ", ".join(edge[:3]) + (", …" if len(edge) > 3 else "")
        console.note(
            f"Note: {count(len(edge), 'workload')} with Edge handlers ({first}): only the SQL is written; "
            "the files of "
            "Edge Functions come with a later version."
        )
