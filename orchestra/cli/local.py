"""The two databases of a laptop: a local Supabase stack, and the embedded one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from orchestra.cli import console
from orchestra.cli.specs import relative
from orchestra.errors import UsageError

DEFAULT_PORT = 54322
"""Where `supabase start` puts the database, unless config.toml says otherwise."""

PATIENCE_S = 0.3


def supabase(home: Path) -> tuple[str, str] | None:
    """URL and words for the stack whose `supabase/config.toml` is near, if its database answers."""
    config = next((f for d in upwards(home) if (f := d / "supabase" / "config.toml").is_file()), None)
    if config is None:
        return None
    port = _port(config)
    if not _answers(port):
        return None
    # The password of every local stack; it is in the documentation of the platform.
    url = f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres"
    return url, f"the local Supabase stack of {relative(config)}, port {port}"


def folder(home: Path) -> Path:
    """The folder `supabase` of a project: the one with a config.toml that is near, else the one beside the spec."""
    near = (d / "supabase" for d in upwards(home) if (d / "supabase" / "config.toml").is_file())
    return next(near, home / "supabase")


def embedded(home: Path, make: bool) -> tuple[str, str, Path]:
    """URL, words and directory of the embedded database of a project, started where it does not run."""
    from orchestra.dev.embedded import start

    directory = home / ".orchestra"
    if not directory.exists():
        if not make:
            raise UsageError(
                f"there is no database under {relative(directory)}/, and none was named",
                "say which with --db URL or --env NAME, or go to the directory that has it",
            )
        console.note(f"Making an embedded database under {relative(directory)}/ …")
    return start(directory).dsn, f"the embedded database under {relative(directory)}/", relative(directory)


def upwards(start: Path) -> Iterator[Path]:
    """This directory and those above it, up to the root of the repository."""
    for directory in (start, *start.parents):
        yield directory
        if (directory / ".git").exists():
            return


def _port(config: Path) -> int:
    import tomllib

    try:
        port = tomllib.loads(config.read_text(encoding="utf-8")).get("db", {}).get("port", DEFAULT_PORT)
    except (OSError, ValueError, AttributeError):
        return DEFAULT_PORT
    return port if isinstance(port, int) else DEFAULT_PORT


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S):
            return True
    except (OSError, OverflowError):
        return False
