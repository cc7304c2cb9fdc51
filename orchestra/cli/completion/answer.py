"""What the scripts ask: `_ORCHESTRA_COMPLETE=SHELL orchestra …`. Quiet, bounded, and never a failure."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from orchestra.cli.completion import line
from orchestra.cli.completion.find import File, Found, find

LONGEST_S: Final = 3.0
"""Of the processor's time: somebody is waiting for a key to do something, on a machine that may be busy."""


class _TooLongError(Exception):
    pass


def respond(shell: str, words: Sequence[str]) -> None:
    """Print the answer."""
    with contextlib.suppress(Exception):
        sys.stdout.buffer.write(answer(shell, words).encode(errors="surrogateescape"))
        sys.stdout.buffer.flush()
    # Whoever asked may be gone, and that is to be no message when the streams are closed.
    with contextlib.suppress(Exception):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def answer(shell: str, words: Sequence[str]) -> str:
    """What the shell's script reads; empty where anything goes wrong or takes too long."""
    with contextlib.suppress(Exception), _bounded():
        return ANSWERS[shell](words)
    return ""


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TooLongError

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _bash(words: Sequence[str]) -> str:
    """First how bash shall treat them, then one reply a line: each in place of `replaced`, the end of the line."""
    from orchestra.cli.completion import bash

    text, replaced, kind, columns = words
    asked = line.read(text)
    if asked.target:
        return bash.replies(asked, replaced, Found(file=File()))
    found = find(asked.words[1:], asked.current)
    return bash.replies(asked, replaced, found, columns=int(columns) if bash.is_list(kind) else 0)


def _zsh(words: Sequence[str]) -> str:
    """What it is (`files .yaml`), its noun, then `value:what it means`, a line each. zsh matches, quotes and finds the
    files itself."""
    *before, current = words
    found = find(before, current)
    how = ["after="] if found.prefix else []
    if found.file is not None:
        how += ["folders"] if found.file.folders else ["files", *found.file.endings]
    values = (f"{_escaped(value)}:{said}" if said else _escaped(value) for value, said in found.values)
    return "\n".join([" ".join(how), found.noun, *values])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def _fish(words: Sequence[str]) -> str:
    """`value<tab>what it means`, a line each: the whole word, as it will stand there. fish matches and quotes."""
    from orchestra.cli.completion.listing import paths

    *before, typed = words
    while before and "=" in before[0]:
        before.pop(0)  # variables for the command
    current = line.read(f"_ {typed}").current
    found = find(before[1:], current)
    lines = [
        f"{found.prefix}{value}\t{said}" if said else f"{found.prefix}{value}" for value, said in found.values
    ]
    if found.file is not None:
        lines += [found.prefix + path for path in paths(current.removeprefix(found.prefix), found.file)]
    return "\n".join(lines)


ANSWERS: Final[dict[str, Callable[[Sequence[str]], str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
