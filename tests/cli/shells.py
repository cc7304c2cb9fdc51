"""Real shells on a terminal: keys are typed, TAB among them, and the line that the shell then holds is read."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engines import EngineMissing
from engines.server import PROVISION

NAMES: Final = ("bash", "zsh", "fish")
TAB: Final = "\t"
BIN: Final = Path(sys.executable).parent
"""Where `orchestra` is."""

_WITHIN_S: Final = 60
_SHOW: Final = "\x18\x02"  # Ctrl-X Ctrl-B: the line, and a NUL, go to the file $LINE
_CLEAR: Final = "\x05\x15"  # Ctrl-E Ctrl-U

_COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "--interactive"),
}
_BEGIN: Final[Mapping[str, str]] = {
    "bash": """bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; HISTFILE=
bind -x '"\\C-x\\C-b": printf "%s\\0" "$READLINE_LINE" >"$LINE"'
""",
    "zsh": """autoload -Uz compinit && compinit -D -u
_show() { print -rn -- "$BUFFER"$'\\0' >"$LINE" }; zle -N _show; bindkey -e; bindkey '^X^B' _show
""",
    "fish": """function fish_greeting; end; function fish_title; end; set -g fish_autosuggestion_enabled 0
function show_line; begin; commandline; printf '\\0'; end >"$LINE"; end; bind \\cx\\cb show_line
""",
}
_SOURCE: Final[Mapping[str, str]] = {
    "bash": "source <(orchestra completion bash)\n",
    "zsh": "source <(orchestra completion zsh)\n",
    "fish": "orchestra completion fish | source\n",
}


def require(name: str) -> str:
    """Where the shell is. EngineMissing where it is not: an error, never a skip."""
    found = shutil.which(name)
    if found is None:
        raise EngineMissing(f"{name} is not provisioned; run {PROVISION}")
    return found


def environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of the machine's own but the tools."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    found = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "xterm"}
    return {**found, "XDG_CONFIG_HOME": f"{home}/.config", "XDG_DATA_HOME": f"{home}/.local/share", **more}


class Shell:
    """`screen` is all that the shell has written since the last `press` began."""

    def __init__(self, name: str, folder: Path, home: Path, setup: str = "", source: bool = True) -> None:
        require(name)
        self.name = name
        self.screen = ""
        self._line = home / f"line.{name}"
        self._ready = home / f"ready.{name}"
        # In a new home, fish would read all manual pages of the machine, in a process that outlives it.
        (home / ".local/share/fish/generated_completions").mkdir(parents=True, exist_ok=True)
        env = environment(home, LINE=str(self._line))
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execvpe(_COMMANDS[name][0], _COMMANDS[name], env)
        termios.tcsetwinsize(self._terminal, (50, 100))
        self.do(_BEGIN[name] + (_SOURCE[name] if source else "") + setup)

    def do(self, script: str) -> None:
        """Run commands at the prompt, and wait for their end."""
        self._ready.unlink(missing_ok=True)
        file = self._ready.with_suffix(f".{self.name}.in")
        file.write_text(script, encoding="utf-8")
        self._type(f". {file}; echo >{self._ready}\r")
        self._until(self._ready.exists)

    def press(self, keys: str) -> str:
        """The line after these keys, which is then taken away."""
        self._line.unlink(missing_ok=True)
        self.screen = ""
        self._type(keys + _SHOW)
        self._until(lambda: self._line.exists() and self._line.read_bytes().endswith(b"\0"))
        line = self._line.read_bytes().decode(errors="surrogateescape").removesuffix("\0")
        self._type(_CLEAR)
        return line.removesuffix("\n") if self.name == "fish" else line

    @property
    def text(self) -> str:
        """The screen without colours and movements of the cursor."""
        return re.sub(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()].|.)", "", self.screen)

    def close(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)

    def _type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode(errors="surrogateescape"))

    def _until(self, done: object) -> None:
        assert callable(done)
        end = time.monotonic() + _WITHIN_S
        while not done():
            assert time.monotonic() < end, f"{self.name} does not answer; it shows:\n{self.screen}"
            if select.select([self._terminal], [], [], 0.02)[0]:
                self.screen += os.read(self._terminal, 65536).decode(errors="replace")


@contextmanager
def shell(name: str, folder: Path, home: Path, setup: str = "", *, source: bool = True) -> Iterator[Shell]:
    one = Shell(name, folder, home, setup, source)
    try:
        yield one
    finally:
        one.close()


def replies(name: str, line: str, folder: Path, home: Path, **more: str) -> tuple[list[str], str]:
    """What bash would offer (COMPREPLY) and fish (`complete -C`) at the end of the line, and what went to stderr."""
    scripts = {
        "bash": """source <(orchestra completion bash)
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9; last=${1##*[ =:]}
compopt() { :; }
_orchestra orchestra "$last" ""
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"; true""",
        "fish": "orchestra completion fish | source; complete -C $argv[1]",
    }
    require(name)
    command = [*_COMMANDS[name][:1], "-c", scripts[name], *(["bash"] if name == "bash" else []), line]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(home, **more),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines(), done.stderr
