"""How a function finds a database that listens on a unix socket only, as the embedded one does."""

from __future__ import annotations

from collections.abc import Mapping


def database_env(dsn: str) -> dict[str, str]:
    """SUPABASE_DB_URL, and what else `npm:postgres` needs, to reach the database of this connection string.

    That client takes no directory of sockets from a URL: not as `?host=`, and not as an escaped host. It takes one
    from PGHOST where the URL names no host, and then reads the user from PGUSER.
    """
    from psycopg.conninfo import conninfo_to_dict  # heavy, and only wanted here

    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    if not parts.get("host", "").startswith("/"):
        return {"SUPABASE_DB_URL": dsn}
    return {
        "SUPABASE_DB_URL": f"postgresql:///{parts.get('dbname', 'postgres')}",
        "PGHOST": parts["host"],
        "PGPORT": parts.get("port", "5432"),
        "PGUSER": parts.get("user", "postgres"),
    }


def socket_directory(env: Mapping[str, str]) -> str | None:
    """The directory of sockets that this environment points to; Deno must be allowed to write there."""
    host = env.get("PGHOST", "")
    return host if host.startswith("/") else None
