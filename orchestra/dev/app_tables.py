"""The app's own tables in the embedded database: what `supabase start` would run, and what --setup names.

Each migration runs once, in the order of the versions, and is recorded where the Supabase CLI records it. A seed or a
setup file runs once for each content, so a change of it is run again.
"""

from __future__ import annotations

import glob
import hashlib
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from orchestra.dev.errors import connected
from orchestra.errors import OrchestraError
from orchestra.migrate.text import owner_of

MIGRATION: Final = re.compile(r"(\d+)_(.*)\.sql")

_PREPARE: Final = """
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
      version text primary key, statements text[], name text
    );
    create table if not exists supabase_migrations.seed_files (path text primary key, hash text not null);
"""
_RECORD_MIGRATION: Final = """
    insert into supabase_migrations.schema_migrations (version, statements, name) values (%s, %s, %s)
"""
_RECORD_SEED: Final = """
    insert into supabase_migrations.seed_files (path, hash) values (%s, %s)
    on conflict (path) do update set hash = excluded.hash
"""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the app's SQL lies. `supabase` is the folder, which need not exist; `setup` are files that must."""

    supabase: Path
    setup: tuple[Path, ...] = ()

    def migrations(self) -> list[Path]:
        folder = self.supabase / "migrations"
        found = [p for p in folder.glob("*.sql") if MIGRATION.fullmatch(p.name)] if folder.is_dir() else []
        return sorted(found, key=lambda p: (p.name.partition("_")[0], p.name))

    def seeds(self) -> list[Path]:
        """As `[db.seed]` of config.toml says: seed.sql unless it says otherwise."""
        db = _config(self.supabase / "config.toml").get("db")
        seed = db.get("seed", {}) if isinstance(db, dict) else {}
        if not isinstance(seed, dict) or seed.get("enabled") is False:
            return []
        patterns = seed.get("sql_paths", ["./seed.sql"])
        found = [
            self.supabase / path
            for pattern in (patterns if isinstance(patterns, list) else [])
            # Unlike Path.glob it takes every pattern, such as an absolute one.
            for path in sorted(glob.glob(str(pattern), root_dir=self.supabase, recursive=True))  # noqa: PTH207
        ]
        return [path for path in dict.fromkeys(found) if path.is_file()]


def bring_up(dsn: str, sources: Sources) -> Iterator[str]:
    """Run what has not run yet, and say of each file that it did.

    Raises OrchestraError with the file and the server's words for the first that fails; those before it stay.
    """
    migrations, seeds = sources.migrations(), [*sources.setup, *sources.seeds()]
    if not migrations and not seeds:
        return
    with connected(dsn) as connection:
        connection.execute(_PREPARE)
        done = {v for (v,) in connection.execute("select version from supabase_migrations.schema_migrations")}
        for path in migrations:
            found = MIGRATION.fullmatch(path.name)
            assert found is not None
            version, name = found.groups()
            text = _text(path)
            # What orchestra wrote for other databases, this one gets by the spec itself.
            if version not in done and owner_of(text) is None:
                _run(connection, path, text, _RECORD_MIGRATION, [version, [text], name])
                yield f"ran migration {path.name}"
        ran: dict[str, str] = dict(
            connection.execute("select path, hash from supabase_migrations.seed_files").fetchall()
        )
        for path in seeds:
            text, key = _text(path), str(path.absolute())
            digest = hashlib.sha256(text.encode()).hexdigest()
            if ran.get(key) != digest:
                _run(connection, path, text, _RECORD_SEED, [key, digest])
                yield f"ran {path.name}" if key not in ran else f"ran {path.name} again, which has changed"


def _run(connection: psycopg.Connection[Any], path: Path, text: str, record: str, row: Sequence[Any]) -> None:
    try:
        with connection.transaction():
            connection.execute(text.encode())
            connection.execute(record.encode(), row)
    except psycopg.Error as fault:
        said = fault.diag.message_primary or str(fault).strip()
        raise OrchestraError(f"{path}{_line(text, fault)}: {said}", _remedy(fault)) from None


def _line(text: str, fault: psycopg.Error) -> str:
    position = fault.diag.statement_position
    return f":{text.count(chr(10), 0, int(position) - 1) + 1}" if position and position.isdecimal() else ""


def _remedy(fault: psycopg.Error) -> str:
    missing = fault.diag.message_primary or ""
    if isinstance(fault, psycopg.errors.InvalidSchemaName) and re.search(
        r'"(auth|storage|realtime)"', missing
    ):
        return (
            "the embedded database has no schemas of the platform's own services: run supabase start, and "
            "orchestra dev uses that"
        )
    if isinstance(fault, (psycopg.errors.DuplicateTable, psycopg.errors.DuplicateObject)):
        return "write it so that it can run again (if not exists), or begin anew with --fresh"
    return fault.diag.message_hint or "nothing of this file was run; mend it, and save it"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as fault:
        raise OrchestraError(f"{path} cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise OrchestraError(f"{path} is no text in UTF-8") from None


def _config(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
