"""The peers from npm, installed once into a folder outside the repository."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from benchmarks.measure import ROOT, run
from benchmarks.result import Unmeasured

_SOURCES = ROOT / "benchmarks" / "peers"
_QUIET = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


def peers() -> Path:
    """The folder with the programs of `peers/` and what they need, as the lock file says it."""
    lock = (_SOURCES / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "orchestra-benchmarks" / f"peers-{hashlib.sha256(lock).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    for source in _SOURCES.iterdir():
        shutil.copy(source, folder)
    if not (folder / "node_modules" / ".package-lock.json").exists():
        run([program("npm"), "ci", *_QUIET], cwd=folder)
    return folder


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise Unmeasured(f"there is no {name} on the PATH to run the peers with")
    return path


def version(package: str) -> str:
    """The one that is installed: `package.json` names it exactly."""
    said = json.loads((_SOURCES / "package.json").read_text(encoding="utf-8"))
    return f"{package} {said['dependencies'][package]}"
