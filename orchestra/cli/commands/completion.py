from __future__ import annotations

import os
import sys
from pathlib import PurePath

import click

from orchestra.cli import console

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
def command(shell: str | None) -> None:
    """Print the script that lets a shell complete commands, options and their values, the names in the spec, and files,
    when TAB is pressed. Without a shell it is the one that $SHELL names. Open a new shell afterwards.

    \b
    bash (4.4 or newer), a line in ~/.bashrc:
      source <(orchestra completion bash)
    \b
    zsh, a line in ~/.zshrc, after compinit:
      source <(orchestra completion zsh)
    \b
    fish, once, and after an update of orchestra:
      orchestra completion fish > ~/.config/fish/completions/orchestra.fish

    Where new shells shall start without asking orchestra, write the script to a file instead:
    ~/.local/share/bash-completion/completions/orchestra for bash (with the package bash-completion), and
    _orchestra in a folder of $fpath for zsh.

    \b
    Example:
      orchestra completion bash
    """
    from importlib.resources import files

    chosen = shell or _own()
    console.out(files("orchestra.cli.completion").joinpath("scripts", chosen).read_text("utf-8"), end="")
    if console.is_terminal(sys.stdout):
        console.note(f"\nThis is for {chosen} to read: see orchestra completion --help for where to put it.")


def _own() -> str:
    found = PurePath(os.environ.get("SHELL", "")).name
    if found not in _SHELLS:
        said = f"$SHELL is {found}, which has no completion" if found else "$SHELL is not set"
        raise click.UsageError(f"{said}; name one: orchestra completion bash, zsh or fish")
    return found
