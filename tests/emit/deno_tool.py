"""Deno's own judges over a folder of files: the formatter, the linter and the type checker."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from orchestra import pipeline
from orchestra.dev.edge.deno import find_deno
from orchestra.spec.model import Spec


@cache
def _deno() -> Path:
    return find_deno()


def deno(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1", "DENO_NO_PACKAGE_JSON": "1"}
    return subprocess.run(
        [_deno(), *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write(files: Mapping[str, str], folder: Path) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    return folder


def write_functions(spec: Spec, folder: Path) -> Path:
    """What the spec's functions compile to, below `folder`; gives the folder of the functions."""
    return write(pipeline.emit_functions(spec), folder) / "functions"


def complaints(folder: Path) -> str:
    """What the formatter and the linter say; empty when they are content."""
    said = [deno(judge, *more, ".", cwd=folder) for judge, *more in (("fmt", "--check"), ("lint",))]
    return "\n".join(f"{done.stdout}{done.stderr}" for done in said if done.returncode)


def type_errors(functions: Path) -> str:
    """What the type checker says of all functions in a folder, at once: their settings are the same."""
    settings = {file.read_text(encoding="utf-8") for file in functions.glob("*/deno.json")}
    assert len(settings) == 1
    first = next(functions.glob("*/deno.json"))
    files = [
        str(file.relative_to(functions))
        for name in ("index", "handler")
        for file in functions.glob(f"*/{name}.ts")
    ]
    done = deno("check", "--config", str(first), *sorted(files), cwd=functions)
    errors = "\n".join(
        line for line in done.stderr.splitlines() if not line.startswith(("Check ", "Download "))
    )
    assert bool(done.returncode) == bool(errors), done.stderr
    return errors
