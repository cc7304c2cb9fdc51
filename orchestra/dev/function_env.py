"""What functions beside the embedded database see, and the secrets by which that database finds and wakes them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from orchestra.dev.edge import database_env
from orchestra.dev.errors import connected

_ELSEWHERE = frozenset(
    {
        "ORCHESTRA_DB_URL",
        "ORCHESTRA_FUNCTION_KEY",
        "SUPABASE_DB_URL",
        "SUPABASE_SECRET_KEYS",
        "SUPABASE_SERVICE_ROLE_KEY",
    }
)
_PREPARE = "create extension if not exists supabase_vault"
_KNOWN = """
    select s.decrypted_secret from vault.decrypted_secrets s
    where s.name = any(%(names)s) order by array_position(%(names)s::text[], s.name::text)
"""
_KEEP = """
    select case when s.id is null then vault.create_secret(%(value)s, %(name)s)::text
                else vault.update_secret(s.id, %(value)s)::text end
    from (select 1) one left join vault.decrypted_secrets s on s.name = %(name)s
    where s.decrypted_secret is distinct from %(value)s
"""
_PREFIX = "sb_secret_"


def environment(dsn: str, env: Mapping[str, str], key: str) -> tuple[dict[str, str], list[str]]:
    """What functions see of the environment, and the names that are left out of `env` because they would lead to
    another database or are a key of another project. `key` is that by which the database wakes them."""
    left_out = sorted(name for name in env if _leads_elsewhere(name))
    given = {
        **{name: value for name, value in env.items() if name not in left_out},
        **database_env(dsn),
        "SUPABASE_SECRET_KEYS": f'{{"default":"{key}"}}',
    }
    return given, left_out


def kept_key(dsn: str, names: Sequence[str]) -> str:
    """The key that Vault holds from the last time under one of `names`, so that what was written with it goes on to
    work; else a new one."""
    with connected(dsn) as connection:
        connection.execute(_PREPARE)
        found = [
            key for (key,) in connection.execute(_KNOWN, {"names": list(names)}) if key.startswith(_PREFIX)
        ]
    return found[0] if found else f"{_PREFIX}{secrets.token_urlsafe(24)}"


def keep_secrets(dsn: str, values: Mapping[str, str]) -> None:
    """Put these into Vault, by name."""
    with connected(dsn) as connection:
        connection.execute(_PREPARE)
        for name, value in values.items():
            connection.execute(_KEEP, {"name": name, "value": value})


def _leads_elsewhere(name: str) -> bool:
    """Whether a variable would take the functions to another database than the one whose jobs run here, or give them
    other keys than those by which it calls them."""
    return name in _ELSEWHERE or (name.startswith("PG") and name.isupper())
