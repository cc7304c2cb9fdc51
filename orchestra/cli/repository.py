"""Looking at a repository before a first spec is written: names only, no values, and nothing is changed."""

from __future__ import annotations

import json
import os
import posixpath
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from orchestra.errors import OrchestraError

if TYPE_CHECKING:
    from orchestra.scaffold import Found

_QUEUES: Final = re.compile(r"\b(?:pgmq\.(?:create|send)\w*|cron\.schedule\w*)\s*\(", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"^\s*(?:export\s+)?([A-Z_][A-Z0-9_]*)\s*=", re.MULTILINE)
_PRODUCTION: Final = re.compile(
    r"PROD(UCTION)?_(.+_)?(DATABASE|DB|POSTGRES)_UR[LI]|(DATABASE|DB)_URL_PROD(UCTION)?"
)
_REMOTE: Final = re.compile(r"^\s*url\s*=\s*(\S+)", re.MULTILINE)
_SKIPPED: Final = frozenset({"node_modules", "vendor", "dist", "build", "target", "venv"})
_MOST_BYTES: Final = 1_000_000
_DEPTH: Final = 3


def homes(start: Path) -> list[Path]:
    """The folders at or a few levels below that have a `supabase/config.toml`; `start` alone if it is one."""
    if _is_file(_config(start)):
        return [start]
    return sorted(found for found in _below(start, _DEPTH) if _is_file(_config(found)))


def look(folder: Path) -> Found:
    """What the repository shows that is, or will be, around a folder."""
    from orchestra.scaffold import Found

    top = _top(folder)
    package = _json(folder / "package.json")
    url = _remote(top)
    inside = Path(os.path.relpath(folder, top)).as_posix()
    found = Found(
        names=tuple(name for name in _names(folder, package, url) if name),
        supabase=(folder / "supabase").is_dir(),
        functions=tuple(_functions(folder / "supabase" / "functions")),
        queue_migrations=tuple(_migrations(folder / "supabase" / "migrations")),
        production=_production((folder, top)),
        host=_host(top, url),
        top=Path(os.path.relpath(top, folder)).as_posix(),
        inside=inside,
    )
    return replace(found, texts=_texts(folder, found))


def uses_supabase(folder: Path) -> bool:
    """Whether there is a Supabase folder, or a package that is for it."""
    package = _json(folder / "package.json")
    return (folder / "supabase").is_dir() or any(
        str(name).startswith("@supabase/")
        for key in ("dependencies", "devDependencies")
        for name in _table(package, key)
    )


def _config(folder: Path) -> Path:
    return folder / "supabase" / "config.toml"


def _below(folder: Path, depth: int) -> Iterator[Path]:
    for path in _folders(folder):
        if path.is_symlink() or path.name.startswith("."):
            continue
        yield path
        if depth > 1:
            yield from _below(path, depth - 1)


def _folders(folder: Path) -> list[Path]:
    """Those that are somebody's work, in order; none of a folder that we may not look into."""
    try:
        return sorted(p for p in folder.iterdir() if p.name not in _SKIPPED and p.is_dir())
    except OSError:
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder that we may not enter
        return False


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _top(folder: Path) -> Path:
    return next((d for d in (folder, *folder.parents) if (d / ".git").exists()), folder)


def _names(folder: Path, package: dict[str, Any], url: str) -> Iterator[str]:
    called = _text_of(_toml(_config(folder)).get("project_id"))
    yield called if not called.startswith("env(") else ""
    yield _text_of(package.get("name"))
    yield _text_of(_table(_toml(folder / "pyproject.toml"), "project").get("name"))
    yield url.rstrip("/").replace(":", "/").rsplit("/", 1)[-1]
    yield folder.name


def _text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def _functions(folder: Path) -> Iterator[str]:
    for inner in _folders(folder):
        if inner.name[0] not in "._" and inner.name.isprintable():
            yield inner.name


def _migrations(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.sql")):
        if _QUEUES.search(_read(file)):
            yield file.name


def _production(folders: tuple[Path, ...]) -> str:
    """The name of a variable for the production database, if an .env file has one. Its value is not looked at."""
    for folder in folders:
        for file in sorted(folder.glob(".env*")):
            for name in _VARIABLE.findall(_read(file)):
                if _PRODUCTION.fullmatch(name):
                    return str(name)
    return ""


def _remote(top: Path) -> str:
    found = _REMOTE.search(_read(_git(top) / "config"))
    return found[1] if found else ""


def _git(top: Path) -> Path:
    """The folder with git's settings: in a worktree or a submodule `.git` is a file that leads to it."""
    place = top / ".git"
    if leads := _read(place).removeprefix("gitdir:").strip():
        place = top / leads
        place /= _read(place / "commondir").strip()
    return place


def _host(top: Path, url: str) -> str:
    if (top / ".gitlab-ci.yml").exists() or "gitlab" in url:
        return "gitlab"
    if (top / ".github").is_dir() or "github" in url:
        return "github"
    return ""


def _texts(folder: Path, found: Found) -> dict[str, str]:
    from orchestra.cli import files
    from orchestra.scaffold.make import paths

    there = {}
    for path in paths(found):
        place = folder / posixpath.normpath(path)
        if not os.path.lexists(place):
            continue
        if place.exists() and not place.is_file():
            raise OrchestraError(f"{place} is no file, and a file of that name is to be written", "rename it")
        try:
            there[path] = files.read(place)
        except OrchestraError as error:
            raise OrchestraError(
                error.message, "what is there is looked at first: mend it, or rename it"
            ) from None
    return there


def _json(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(_read(file) or "{}")
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(file))
    except (ValueError, RecursionError):
        return {}


def _read(file: Path) -> str:
    """The text of a small regular file, and nothing of any other."""
    try:
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return ""
        return file.read_text("utf-8-sig", "replace")
    except OSError:
        return ""
