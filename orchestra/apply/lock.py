"""One apply at a time in a database, whether it needs one transaction or many, on one connection or several."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Final

import psycopg

from orchestra.errors import ApplyError, LockedError
from orchestra.live.connect import Database, connect
from orchestra.runtime import APPLY_LOCK

KEY: Final = APPLY_LOCK
BATCH_KEY: Final = KEY + 1
"""Held as well, shared by the batches of one apply: who wants to begin waits for the last batch of whoever died."""
_PAUSE_S: Final = 0.2
OWN_PACE: Final = (
    # A client that hangs must not hold the lock for ever; one that works gives a sign at each batch.
    "set local idle_in_transaction_session_timeout = '15min'; "
    # Only from PostgreSQL 17 on, and then it may be a default of the role.
    "select pg_catalog.set_config('transaction_timeout', '0', true) "
    "where pg_catalog.current_setting('transaction_timeout', true) is not null"
)
"""How long a transaction of an apply may be idle or last, whatever the role's own settings are."""


def take_lock(database: Database, timeout_s: float | None) -> None:
    """Holds the lock until the transaction ends; waits up to `timeout_s`, else refuses at once."""
    deadline = time.monotonic() + (timeout_s or 0)
    for key in (KEY, BATCH_KEY):
        _take(database, key, deadline, timeout_s)


@contextmanager
def held(database: Database, timeout_s: float | None) -> Generator[Callable[[Database], None]]:
    """Holds the lock over many transactions, from a connection of its own, so that a pooler may stand before the
    server. Gives what each of the transactions has to call first; it fails once the lock is lost."""
    deadline = time.monotonic() + (timeout_s or 0)
    holder = connect(database.url)
    try:
        holder.script(f"begin; {OWN_PACE}")
        _take(holder, KEY, deadline, timeout_s)
        holder.script("savepoint free_for_batches")
        _take(holder, BATCH_KEY, deadline, timeout_s)
        holder.script("rollback to savepoint free_for_batches")
        (row,) = holder.rows("select pg_backend_pid() as pid")
        yield lambda batch: _join(batch, holder, row["pid"])
    finally:
        holder.close()


def _join(batch: Database, holder: Database, pid: int) -> None:
    """First the lock, then the look: whoever takes over from a lost holder waits for what is found here."""
    with suppress(psycopg.Error):
        holder.rows("select 1")  # a sign of life, or it would be ended as idle
    (mine,) = batch.rows(f"select pg_try_advisory_xact_lock_shared({BATCH_KEY}) as held")
    (its,) = batch.rows(
        """
        select exists (
          select from pg_catalog.pg_locks l
          where l.locktype = 'advisory' and l.pid = %(holder)s and l.granted and l.mode = 'ExclusiveLock'
            and l.objsubid = 1 and (l.classid::bigint << 32) + l.objid::bigint = %(key)s
        ) as held
        """,
        {"key": KEY, "holder": pid},
    )
    if not (mine["held"] and its["held"]):
        raise ApplyError(
            "the connection that held the lock of this apply is gone",
            "this step was not begun; run the same apply again to go on",
        )


def _take(database: Database, key: int, deadline: float, timeout_s: float | None) -> None:
    while not database.rows(f"select pg_try_advisory_xact_lock({key}) as held")[0]["held"]:
        if time.monotonic() >= deadline:
            waited = f" after {timeout_s:g} s" if timeout_s else ""
            raise LockedError(
                f"another apply holds the lock of this database{waited}",
                "let it finish, or wait for it with --lock-timeout 5m",
            )
        time.sleep(_PAUSE_S)
