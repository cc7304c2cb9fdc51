"""How a run ends: an exit code, and one message without a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError

from orchestra.cli import console
from orchestra.errors import OrchestraError, SpecError

USAGE = 64
INTERRUPTED = 130
BROKEN_PIPE = 141
CLOSED = 129
"""What a shell reports of a program whose terminal was closed."""


class Interrupted(click.Abort):
    """Ctrl-C while something was going on that left a state behind; says which."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def run(command: Callable[[], Any]) -> int:
    """Run a click command that does not end the process itself, and give the exit code."""
    console.lead_closed_streams_nowhere()
    stdout = sys.stdout
    try:
        code = command()
        sys.stdout.flush()
    except NoArgsIsHelpError as error:
        console.note(error.format_message())
        return USAGE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "orchestra"
        console.fail(error.format_message(), f"see {path} --help")
        return USAGE
    except click.ClickException as error:
        console.fail(error.format_message())
        return error.exit_code
    except Interrupted as stop:
        console.note(f"\n{stop.message}")
        return INTERRUPTED
    except click.Abort:
        console.note("\nInterrupted. Nothing was changed.")
        return INTERRUPTED
    except SpecError as error:
        return _spec(error)
    except OrchestraError as error:
        console.fail(error.message, error.remedy)
        return error.exit_code
    except BrokenPipeError:
        return _broken_pipe()
    except SystemExit:
        # click ends the process with 1 where a pipe breaks, and has put another stdout in its place by then.
        if sys.stdout is not stdout:
            return _broken_pipe()
        raise
    except OSError as error:
        if console.is_gone(error):
            return _closed()
        name = f" ({error.filename})" if error.filename else ""
        console.fail(f"{error.strerror or error}{name}")
        return 1
    except Exception as error:
        return _unexpected(error)
    return code if isinstance(code, int) else 0


def _spec(error: SpecError) -> int:
    """From the library, without sources; commands report findings with their lines themselves."""
    from orchestra.report import text

    console.note(text.render(error.diagnostics, {}, console.style(sys.stderr)), end="")
    return error.exit_code


def _broken_pipe() -> int:
    """Whoever read our output has had enough (`orchestra plan | head`); that is no fault."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE


def _closed() -> int:
    """The terminal is gone, and whoever ignores the signal for it finds out by writing: there is nobody to tell, and
    what is left in the buffers has nowhere to go."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    return CLOSED


def _unexpected(error: Exception) -> int:
    if os.environ.get("ORCHESTRA_DEBUG"):
        raise error
    from orchestra.report import mask

    said = mask.message(" ".join(str(error).split()))
    name = type(error).__name__
    console.fail(
        f"orchestra failed in a way that it did not expect: {name}: {said}" if said else f"unexpected {name}",
        "this is a bug; ORCHESTRA_DEBUG=1 shows the traceback to report",
    )
    return 1
