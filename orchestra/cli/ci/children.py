"""Other commands of orchestra, and git: what a pipeline runs is what a person would type.

The commands run in this process, for a step runs six of them and starting each anew would take longer than its work.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from orchestra.cli.ci import runner
from orchestra.errors import OrchestraError


def shown(*arguments: str | Path) -> int:
    """Run it for everybody to read, and give its exit code."""
    with runner.plain_log():
        return _run(*arguments)


def annotated(*arguments: str | Path) -> int:
    """The same for a command whose output is meant for the runner; what it notes beside that is not."""
    notes = io.StringIO()
    with contextlib.redirect_stderr(notes):
        code = _run(*arguments)
    _log(notes.getvalue())
    return code


def said(*arguments: str | Path) -> tuple[int, str]:
    """Exit code, and what it printed where results go. What it notes beside them is shown where it fails: else one of
    its kind has said it already."""
    results, notes = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(results), contextlib.redirect_stderr(notes):
        code = _run(*arguments)
    if code:
        _log(notes.getvalue())
    return code, results.getvalue()


def watched(*arguments: str | Path, where: Path | None = None) -> tuple[int, str]:
    """The same for what takes a while: its notes are shown as they come."""
    results = io.StringIO()
    with runner.plain_log(), contextlib.redirect_stdout(results), _in(where):
        code = _run(*arguments)
    return code, results.getvalue()


def told(*arguments: str | Path) -> tuple[int, str]:
    """Exit code, and everything that it printed, which is shown as well."""
    everything = io.StringIO()
    with contextlib.redirect_stdout(everything), contextlib.redirect_stderr(everything):
        code = _run(*arguments)
    _log(everything.getvalue())
    return code, everything.getvalue()


def report(path: Path, *arguments: str | Path) -> Path:
    """Write what a command prints into a file. OrchestraError where it fails: a report that is asked for has to be."""
    code, text = said(*arguments)
    if code:
        raise OrchestraError(f"orchestra {arguments[0]} could not write {path.name} (exit code {code})")
    path.write_text(text, encoding="utf-8")
    return path


def git(*arguments: str) -> str | None:
    """What git says in this directory, or None where it refuses or is not there."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _run(*arguments: str | Path) -> int:
    """As a process of its own would end, its message included."""
    from orchestra.cli.ending import run
    from orchestra.cli.root import root

    words = list(map(str, arguments))
    code = run(lambda: root.main(words, prog_name="orchestra", standalone_mode=False))
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _log(text: str) -> None:
    if text:
        with runner.plain_log():
            sys.stdout.write(text)
            sys.stdout.flush()


@contextlib.contextmanager
def _in(where: Path | None) -> Iterator[None]:
    if where is None:
        yield
        return
    with contextlib.chdir(where):
        yield
