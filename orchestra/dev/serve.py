"""A project's functions beside its embedded database: Deno serves them, cron ticks, pg_net calls, until it is told."""

from __future__ import annotations

import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from orchestra.dev.edge import EdgeServer, database_env
from orchestra.dev.errors import connected
from orchestra.dev.ticker import Ticker
from orchestra.kinds.secret import FUNCTION_KEY, FUNCTION_URL, VAULT

_ELSEWHERE = frozenset(
    {
        "ORCHESTRA_DB_URL",
        "ORCHESTRA_FUNCTION_KEY",
        "SUPABASE_DB_URL",
        "SUPABASE_SECRET_KEYS",
        "SUPABASE_SERVICE_ROLE_KEY",
    }
)
_NAMES = """
    select distinct w.url_secret, w.key_secret from orchestra.workload w where w.url_secret is not null
"""
_PREPARE = "create extension if not exists supabase_vault"
_KNOWN = "select s.decrypted_secret from vault.decrypted_secrets s where s.name = %s"
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


def kept_key(dsn: str) -> str:
    """The key that Vault holds from the last time, so that what was written with it goes on to work; else a new one."""
    with connected(dsn) as connection:
        connection.execute(_PREPARE)
        row = connection.execute(_KNOWN, [VAULT[FUNCTION_KEY]]).fetchone()
    return row[0] if row and row[0].startswith(_PREFIX) else new_key()


def new_key() -> str:
    return f"{_PREFIX}{secrets.token_urlsafe(24)}"


def keep_secrets(dsn: str, values: Mapping[str, str]) -> None:
    """Put these into Vault, by name."""
    with connected(dsn) as connection:
        connection.execute(_PREPARE)
        for name, value in values.items():
            connection.execute(_KEEP, {"name": name, "value": value})


@contextmanager
def serving(
    dsn: str, functions: Path, env: Mapping[str, str], *, port: int = 0, say: Callable[[str], None]
) -> Iterator[EdgeServer]:
    """While it is open, the functions answer and their workers are woken. `env` is what handlers see besides the
    platform's own variables. `say` gets each line that the functions log.

    The key by which the database wakes them is made anew each time and put into Vault with their address.
    """
    key = new_key()
    given, left_out = environment(dsn, env, key)
    if left_out:
        say(f"left out, for they belong to another database: {', '.join(left_out)}")
    with EdgeServer(
        functions, given, port=port, on_log=lambda line: say(f"{line.function}: {line.text}")
    ) as server:
        for url_name, key_name in _names(dsn):
            keep_secrets(dsn, {url_name: server.url, key_name: key})
        with Ticker(dsn):
            say(f"functions: {server.url}")
            say(f"secret key: {key}")
            yield server


def _leads_elsewhere(name: str) -> bool:
    """Whether a variable would take the functions to another database than the one whose jobs run here, or give them
    other keys than those by which it calls them."""
    return name in _ELSEWHERE or (name.startswith("PG") and name.isupper())


def _names(dsn: str) -> list[tuple[str, str]]:
    """Of the secrets with address and key, as the workloads that are there want them."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        known = connection.execute("select to_regclass('orchestra.workload') is not null").fetchone()
        pairs = connection.execute(_NAMES).fetchall() if known == (True,) else []
    return pairs or [(VAULT[FUNCTION_URL], VAULT[FUNCTION_KEY])]


def until_told() -> None:
    """Until Ctrl-C or a SIGTERM."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    while not told.wait(timeout=1):
        pass
