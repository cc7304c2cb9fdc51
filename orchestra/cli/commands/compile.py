from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import beside, console, options

if TYPE_CHECKING:
    from orchestra.cli.specs import Reading
    from orchestra.diagnostics import Diagnostic
    from orchestra.spec.model import Spec

_LARGE = 1_000


@click.command("compile")
@options.specs()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The directory to write into: the folder supabase, where there is one.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where a file there is another.")
@click.option("--force", is_flag=True, help="Overwrite generated files that were edited by hand.")
def command(specs: tuple[Path, ...], out: Path | None, check: bool, force: bool) -> None:
    """Compile a spec to SQL that can be run again and again, and to the files of its Edge Functions. They are the
    same for every environment, and the same bytes each time.

    Without --out the SQL goes to stdout. With it, DIR gets orchestra.sql, functions/ and the entries of the functions
    in config.toml. handler.ts is yours: it is written once and never overwritten after you have changed it.

    \b
    Example:
      orchestra compile --out supabase
      orchestra compile --out supabase --check
      orchestra compile | psql "$DATABASE_URL" --single-transaction
    """
    if out is None and (check or force):
        said = "--check compares with" if check else "--force is about"
        raise click.UsageError(f"{said} what is in a directory: add --out DIR")
    if check and force:
        raise click.UsageError("--check writes nothing, so there is nothing to --force")
    # One road over many values that all live to its end: collecting on the way would only walk them.
    from orchestra.cli.specs import load
    from orchestra.spec.parsing import no_collection

    with no_collection():
        reading = load(specs)
        count = len(reading.spec.workloads) if reading.spec is not None else 0
        spec, text = _in_two(reading) if beside.worthwhile(count) else _in_one(reading)
    _leave_in_place(spec)
    if out is None:
        _mention_functions(spec)
        console.out(text, end="")
        return
    from orchestra.cli.output import Output

    output = Output(out, spec, text)
    output.check() if check else output.write(force=force)


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


def _mention_functions(spec: Spec) -> None:
    """SQL alone is not the whole of a spec with Edge Functions; it must not look as if it were."""
    from orchestra.kinds.edge_function import has_function
    from orchestra.report.words import count

    names = [w.name for w in spec.workloads if has_function(w)]
    if names:
        first = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        console.note(
            f"Note: this is the SQL alone. --out supabase writes {count(len(names), 'Edge Function')} too: {first}."
        )
