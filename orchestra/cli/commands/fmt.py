from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from orchestra.cli import console, options
from orchestra.errors import OrchestraError, UsageError

if TYPE_CHECKING:
    from orchestra.formatting import Formatted

_STDIN: Final = "-"


@click.command("fmt")
@options.specs()
@click.option("--check", is_flag=True, help="Write nothing; list what is not formatted, and exit with 1.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
def command(specs: tuple[Path, ...], check: bool, diff: bool) -> None:
    """Bring spec files into their canonical form: the order of their keys, indentation, blanks. Comments stay where
    they belong, and what the spec says stays the same; that is proved before a file is written. The names of the files
    that were changed go to stdout.

    Without SPEC it is the nearest orchestra.yaml; a folder stands for the files in it, and - for stdin, whose canonical
    form goes to stdout. Where one file has a syntax error, nothing is written.

    \b
    Example:
      orchestra fmt
      orchestra fmt orchestra/ --check --diff
      orchestra fmt - < orchestra.yaml
    """
    if Path(_STDIN) in specs:
        if len(specs) > 1:
            raise UsageError("- is stdin, and stands alone", "format the files in a run of their own")
        _stdin(check, diff)
        return
    done = _format(_files(specs))
    changed = {name: formatted for name, formatted in done.items() if formatted.changed}
    if not check and not diff:
        for name, formatted in changed.items():
            _write(Path(name), formatted)
    for name, formatted in changed.items():
        console.out(_difference(name, formatted) if diff else _shown(name), end="" if diff else "\n")
    if check and changed:
        raise click.exceptions.Exit(1)


def _stdin(check: bool, diff: bool) -> None:
    formatted = _format({"<stdin>": sys.stdin.buffer.read()})["<stdin>"]
    if diff:
        console.out(_difference("<stdin>", formatted), end="")
    elif not check:
        sys.stdout.flush()
        sys.stdout.buffer.write(formatted.after)
    elif formatted.changed:
        console.out("<stdin>")
    if check and formatted.changed:
        raise click.exceptions.Exit(1)


def _files(paths: tuple[Path, ...]) -> dict[str, bytes]:
    """The files that the paths name, with what they hold."""
    from orchestra.cli import specs
    from orchestra.spec.fetched import ReadFault
    from orchestra.spec.files import read_specs

    found: dict[str, bytes] = {}
    for name, data in read_specs(paths or (specs.nearest(),)):
        if isinstance(data, ReadFault):
            raise UsageError(f"{name} cannot be read: {data.message}", data.help)
        found[name] = data
    return found


def _format(files: dict[str, bytes]) -> dict[str, Formatted]:
    """All of them, or the end of the command with every file that cannot be formatted."""
    from orchestra.errors import SpecError
    from orchestra.formatting import CannotFormatError, format_bytes
    from orchestra.report import text

    done: dict[str, Formatted] = {}
    for name, data in files.items():
        try:
            done[name] = format_bytes(data, name)
        except SpecError as error:
            source = data.decode("utf-8", "replace")
            console.note(text.render(error.diagnostics, {name: source}, console.style(sys.stderr)), end="")
        except CannotFormatError as error:
            place = f"{name}:{error.line}" if error.line else name
            console.fail(f"{place}: {error.message}", error.remedy)
    if len(done) < len(files):
        if len(files) > 1:
            console.note("Nothing was written.")
        raise click.exceptions.Exit(1)
    return done


def _write(path: Path, formatted: Formatted) -> None:
    """Into the file that a symbolic link leads to; not where somebody has saved it meanwhile."""
    from orchestra.cli import files

    target = path.resolve()
    if target.read_bytes() != formatted.before:
        raise OrchestraError(f"{path} was changed while it was formatted", "run orchestra fmt again")
    files.write(target, formatted.after.decode("utf-8"))


def _difference(name: str, formatted: Formatted) -> str:
    from difflib import unified_diff

    look = console.style(sys.stdout)
    colours = {"+": "green", "-": "red", "@": "cyan"}
    lines = unified_diff(
        formatted.text_before.splitlines(), formatted.text_after.splitlines(), name, name, lineterm=""
    )
    shown = "".join(
        f"{look.paint(_shown(line), colours[line[0]]) if line[:1] in colours else _shown(line)}\n"
        for line in lines
    )
    return shown or f"{_shown(name)}: only line breaks differ\n"


def _shown(text: str) -> str:
    from orchestra.report.cells import visible

    return visible(text)
