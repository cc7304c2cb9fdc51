"""Deno: where it is, and how it is started for a function."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestra.dev.edge.database import socket_directory
from orchestra.dev.edge.errors import EdgeError
from orchestra.dev.edge.limits import Limits

HERE = Path(__file__).parent
PRELUDE = HERE / "prelude.ts"
SPAWN = HERE / "spawn.py"
SETUP = "ORCHESTRA_EDGE"  # the variable that prelude.ts reads
OLDEST = 2  # major version
REMEDY = "run: pip install 'orchestra[dev-functions]'"

# What Deno reads of our environment to find its cache, whose folders are named by the registry.
CACHE = ("HOME", "XDG_CACHE_HOME", "DENO_DIR", "NPM_CONFIG_REGISTRY")
ALWAYS: Mapping[str, str] = {
    "DENO_NO_PACKAGE_JSON": "1",  # one further up is the project's, not the function's
    "DENO_NO_UPDATE_CHECK": "1",
    "NO_COLOR": "1",
}


def find_deno(given: Path | str | None = None) -> Path:
    """The Deno to use: the one given, that of the wheel, or the first on the PATH.

    Raises EdgeError when there is none, or one that is too old.
    """
    found = Path(given) if given is not None else _installed()
    if found is None:
        raise EdgeError("functions run in Deno, and there is none here", REMEDY)
    try:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        major = int(said.removeprefix("deno ").partition(".")[0])
    except (OSError, subprocess.CalledProcessError, ValueError) as fault:
        raise EdgeError(f"{found} is no Deno that runs: {fault}", REMEDY) from fault
    if major < OLDEST:
        raise EdgeError(f"functions need Deno {OLDEST} or later, {found} says {said.split()[1]}", REMEDY)
    return found


def _installed() -> Path | None:
    if importlib.util.find_spec("deno") is not None:
        try:
            return Path(importlib.import_module("deno").find_deno_bin())
        except (AttributeError, FileNotFoundError):
            pass  # some other package of that name, or one without its program
    on_path = shutil.which("deno")
    return Path(on_path) if on_path is not None else None


@dataclass(frozen=True)
class Launch:
    """A process to start: its arguments and its whole environment."""

    command: list[str]
    env: dict[str, str]


def launch_fetch(deno: Path, folder: Path) -> Launch:
    """Fetch what the function imports. No code runs, so this one may see proxies, certificates and tokens."""
    command = [str(deno), "cache", "--quiet", *_shared_flags(folder), str(folder / "index.ts")]
    return Launch(_dying_with_us(command), {**os.environ, **ALWAYS})


def launch_isolate(
    deno: Path, folder: Path, env: Mapping[str, str], limits: Limits, *, port: int, token: str
) -> Launch:
    """Run a function: it reports to the control port, and sees `env` and nothing else of the environment."""
    writable = [tempfile.gettempdir(), socket_directory(env)]
    # Cached only: what could be fetched has been, and the platform fetches nothing at run time either.
    flags = [
        *("--quiet", "--no-check", "--no-prompt", "--cached-only"),
        *("--allow-net", "--allow-env", "--allow-read", "--allow-sys"),
        f"--allow-write={','.join(path for path in writable if path)}",
    ]
    if limits.memory_mb is not None:
        flags.append(f"--v8-flags=--max-old-space-size={limits.memory_mb}")
    command = [str(deno), "run", *flags, *_shared_flags(folder), str(PRELUDE)]
    setup = {"port": port, "token": token, "entry": (folder / "index.ts").as_uri(), "env": dict(env)}
    return Launch(_dying_with_us(command), {**_cache_env(), **ALWAYS, SETUP: json.dumps(setup)})


def _shared_flags(folder: Path) -> list[str]:
    for name in ("deno.json", "deno.jsonc"):
        if (folder / name).is_file():
            return ["--no-lock", "--config", str(folder / name)]
    return ["--no-lock", "--no-config"]


def _cache_env() -> dict[str, str]:
    return {name: os.environ[name] for name in CACHE if name in os.environ}


def _dying_with_us(command: list[str]) -> list[str]:
    return [sys.executable, "-I", "-S", str(SPAWN), str(os.getpid()), *command]
