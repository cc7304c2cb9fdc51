"""One apply at a time in a database."""

from __future__ import annotations

import time
from typing import Final

from orchestra.errors import LockedError
from orchestra.live.connect import Database

KEY: Final = 0x6F72636865737472
"""The advisory lock's key: the letters of `orchestr`."""
_PAUSE_S: Final = 0.2


def take_lock(database: Database, timeout_s: float | None) -> None:
    """Holds the lock until the transaction ends; waits up to `timeout_s`, else refuses at once."""
    deadline = time.monotonic() + (timeout_s or 0)
    while not _tried(database):
        if time.monotonic() >= deadline:
            waited = f" after {timeout_s:g} s" if timeout_s else ""
            raise LockedError(
                f"another apply holds the lock of this database{waited}",
                "let it finish, or wait for it with --lock-timeout 5m",
            )
        time.sleep(_PAUSE_S)


def _tried(database: Database) -> bool:
    (row,) = database.rows(f"select pg_try_advisory_xact_lock({KEY}) as held")
    return bool(row["held"])
