"""The fault of this room: the development database cannot be had."""

from __future__ import annotations

from typing import Any

import psycopg

from orchestra.errors import ConnectError


class DevDatabaseError(ConnectError):
    """The embedded database could not be made, started or reached; the remedy says what to do."""


def connected(dsn: str) -> psycopg.Connection[Any]:
    """A connection where each statement commits; DevDatabaseError where the server does not answer."""
    try:
        return psycopg.connect(dsn, autocommit=True)
    except psycopg.OperationalError as fault:
        raise DevDatabaseError(f"the database does not answer: {' '.join(str(fault).split())}") from None
