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
_KEEP = """
    select case when s.id is null then vault.create_secret(%(value)s, %(name)s)::text
                else vault.update_secret(s.id, %(value)s)::text end
    from (select 1) one left join vault.secrets s on s.name = %(name)s
"""


@contextmanager
def serving(
    dsn: str, functions: Path, env: Mapping[str, str], *, port: int = 0, say: Callable[[str], None]
) -> Iterator[EdgeServer]:
    """While it is open, the functions answer and their workers are woken. `env` is what handlers see besides the
    platform's own variables; what of it leads to another database, or is a key of another project, is left out. `say`
    gets each line that the functions log.

    The key by which the database wakes them is made anew each time and put into Vault with their address.
    """
    key = f"sb_secret_{secrets.token_urlsafe(24)}"
    left_out = sorted(name for name in env if _leads_elsewhere(name))
    given = {
        **{name: value for name, value in env.items() if name not in left_out},
        **database_env(dsn),
        "SUPABASE_SECRET_KEYS": f'{{"default":"{key}"}}',
    }
    if left_out:
        say(f"left out, for they belong to another database: {', '.join(left_out)}")
    with EdgeServer(
        functions, given, port=port, on_log=lambda line: say(f"{line.function}: {line.text}")
    ) as server:
        _keep_secrets(dsn, server.url, key)
        with Ticker(dsn):
            say(f"functions: {server.url}")
            say(f"secret key: {key}")
            yield server


def _leads_elsewhere(name: str) -> bool:
    """Whether a variable would take the functions to another database than the one whose jobs run here, or give them
    other keys than those by which it calls them."""
    return name in _ELSEWHERE or (name.startswith("PG") and name.isupper())


def _keep_secrets(dsn: str, url: str, key: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create extension if not exists supabase_vault")
        known = connection.execute("select to_regclass('orchestra.workload') is not null").fetchone()
        pairs = connection.execute(_NAMES).fetchall() if known == (True,) else []
        for url_name, key_name in pairs or [(VAULT[FUNCTION_URL], VAULT[FUNCTION_KEY])]:
            for name, value in ((url_name, url), (key_name, key)):
                connection.execute(_KEEP, {"name": name, "value": value})


def until_told() -> None:
    """Until Ctrl-C or a SIGTERM."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    while not told.wait(timeout=1):
        pass
