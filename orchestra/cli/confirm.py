"""Asking before something is changed."""

from __future__ import annotations

import sys

import click

from orchestra.cli import console
from orchestra.errors import UsageError

_OF_PLANS = "add --auto-approve, or plan with --out FILE, let somebody read it, and apply that file"


def require_someone(auto_approve: bool, remedy: str = _OF_PLANS) -> None:
    """UsageError where nobody could be asked and nobody has said yes beforehand."""
    if not auto_approve and not console.interactive():
        raise UsageError("there is no terminal to ask on, and --auto-approve was not given", remedy)


def confirmed(question: str, detail: str) -> bool:
    """True for the answer `yes`, written out; nothing else will do. The question goes to stderr."""
    from orchestra.report.cells import wrap

    look = console.style(sys.stderr)
    lines = [
        *(look.bold(line) for line in wrap(question, look.width)),
        *(f"  {line}" for line in wrap(detail, look.width - 2)),
        "  Only 'yes' will be accepted.",
    ]
    console.note("\n" + "\n".join(lines) + "\n")
    return asked("Enter a value") == "yes"


def asked(text: str) -> str:
    """What somebody types, without the blanks around it; nothing where the input is at its end. Ctrl-C raises
    click.Abort."""
    try:
        answer = str(click.prompt(f"  {text}", default="", show_default=False, err=True))
    except click.Abort as end:
        if isinstance(end.__context__, KeyboardInterrupt):
            raise
        answer = ""
    console.note("")
    return answer.strip()
