"""What the terminal is, and writing to it. Results go to stdout, everything else to stderr."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from orchestra.report.style import Style

WIDEST = 120


def lead_closed_streams_nowhere() -> None:
    """What whoever started us has closed (`2>&-`, some schedulers) is as /dev/null. Else the next file that is opened
    would be what a program that we start takes for its stdout."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def style(stream: TextIO) -> Style:
    """The width of the terminal; colour where the stream is one and NO_COLOR (no-color.org) is not set."""
    from orchestra.report.style import Style

    return Style(width=max(40, min(_columns(stream), WIDEST)), colour=_coloured(stream))


def _columns(stream: TextIO) -> int:
    """Of this very stream: the other one may be a pipe."""
    wished = os.environ.get("COLUMNS", "")
    if wished.isdecimal() and int(wished):
        return int(wished)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):  # no terminal, or no file at all
        return 80


def _coloured(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_terminal(stream)


def is_terminal(stream: TextIO) -> bool:
    return not stream.closed and stream.isatty()


def drives(stream: TextIO) -> bool:
    """Whether the cursor can be moved there."""
    return is_terminal(stream) and os.environ.get("TERM", "") not in ("", "dumb")


def is_gone(error: OSError) -> bool:
    """Whether a terminal was closed while it was written to."""
    return error.errno in (errno.EIO, errno.ENXIO)


def interactive() -> bool:
    """Whether somebody can be asked."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def out(text: str, end: str = "\n") -> None:
    """A result. Escape sequences in it were put there on purpose, by a style that had asked whether to."""
    click.echo(_writable(text + end, sys.stdout), nl=False, color=True)


def document(text: str, end: str = "\n") -> None:
    """A result that is JSON. What drives a terminal, or its encoding does not have, is an escape of JSON's there, so
    that nothing is lost on the way."""
    from orchestra.report.json_text import escaped

    click.echo(escaped(text + end, _encoding(sys.stdout)), nl=False, color=True)


def note(text: str, end: str = "\n") -> None:
    """Anything that is not the result."""
    click.echo(_writable(text + end, sys.stderr), nl=False, err=True, color=True)


def fail(message: str, remedy: str = "") -> None:
    """One fault: what, and on the next lines what to do about it."""
    from orchestra.report.cells import visible, wrap

    look = style(sys.stderr)
    first, *more = wrap(visible(message), look.width - len("error: "))
    lines = [
        f"{look.paint('error:', 'bold', 'red')} {look.bold(first)}",
        *(f"       {line}" for line in more),
    ]
    if remedy:
        first, *more = wrap(visible(remedy), look.width - len("       "))
        lines += [f"{look.paint(' help:', 'bold', 'green')} {first}", *(f"       {line}" for line in more)]
    note("\n".join(lines))


def _writable(text: str, stream: TextIO) -> str:
    """`text` with a question mark for what the terminal's encoding does not have."""
    encoding = _encoding(stream)
    return text.encode(encoding, "replace").decode(encoding)


def _encoding(stream: TextIO) -> str:
    return getattr(stream, "encoding", None) or "utf-8"
