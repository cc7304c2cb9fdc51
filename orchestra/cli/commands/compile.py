from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import beside, console, files, options

if TYPE_CHECKING:
    from orchestra.cli.specs import Reading
    from orchestra.diagnostics import Diagnostic
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
    from orchestra.cli.specs import load
    from orchestra.spec.parsing import no_collection

    # One road over many values that all live to its end: collecting on the way would only walk them.
    with no_collection():
        reading = load(paths)
        count = len(reading.spec.workloads) if reading.spec is not None else 0
        spec, text = _in_two(reading) if beside.worthwhile(count) else _in_one(reading)
    _leave_in_place(spec)
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
    files.write(path, text, durable=False)
    console.note(f"Wrote {path}.")


def _in_one(reading: Reading) -> tuple[Spec, str]:
    """Check, and then compile what has no errors."""
    from orchestra.cli.specs import accept

    spec = accept(reading if reading.spec is None else reading.with_findings(_findings(reading.spec)))
    return spec, _sql(spec)


def _in_two(reading: Reading) -> tuple[Spec, str]:
    """The same in less time: a child checks while this process compiles. What it compiled counts only where the
    child found no errors, so what comes of a faulty spec here, a failure too, is thrown away."""
    from orchestra.cli.specs import accept

    spec = reading.spec
    assert spec is not None, "a spec that could not be read has no workloads"
    checking = beside.Beside(lambda: _findings(spec))
    failure, text = None, ""
    try:
        text = _sql(spec)
    except Exception as error:
        failure = error
    accept(reading.with_findings(checking.result()))
    if failure is not None:
        raise failure
    return spec, text


def _findings(spec: Spec) -> tuple[Diagnostic, ...]:
    from orchestra.check import check

    return check(spec)


def _sql(spec: Spec) -> str:
    from orchestra import pipeline

    return pipeline.emit_sql(pipeline.compile_spec(spec), spec)


def _leave_in_place(spec: Spec) -> None:
    """Let the process end without taking a large spec apart, object by object: that is a tenth of the whole run.

    A list that holds itself and is frozen is freed neither by counting nor by collecting.
    """
    if len(spec.workloads) < _LARGE:
        return
    kept: list[object] = [spec]
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
