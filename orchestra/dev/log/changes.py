"""What was committed in a database, row by row and in order: read from its write-ahead log, so that nothing is missed
between two looks and nothing is seen that was rolled back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import psycopg

from orchestra.dev.errors import DevDatabaseError

AT_A_TIME = 20_000  # changes; a transaction comes whole
MANY = 1_000  # changes, after which the place to read from is moved on
PLUGIN = "test_decoding"

_SLOT = "select pg_catalog.pg_create_logical_replication_slot(%s, %s, true)"
_TAKE = """
    select data from pg_catalog.pg_logical_slot_get_changes(
      %s, null, %s, 'include-timestamp', '1', 'skip-empty-xacts', '1')
"""
_ROW = re.compile(r"table (\S+): (INSERT|UPDATE|DELETE):(.*)", re.DOTALL)
_COLUMN = re.compile(r" ([^\s\[]+)\[(?:[^\[\]]|\[\])+\]:(?:'((?:[^']|'')*)'|([^\s']\S*))")
_COMMIT = re.compile(r"COMMIT \d+ \(at (.+)\)")
_NEW = " new-tuple:"


@dataclass(frozen=True, slots=True)
class Change:
    """One row: `table` is `pgmq.q_import`, `verb` INSERT, UPDATE or DELETE, `row` its columns as PostgreSQL writes them
    (a deleted one has its key alone)."""

    table: str
    verb: str
    row: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Transaction:
    at: datetime
    changes: tuple[Change, ...]


class Changes:
    """A context manager. It reads from its beginning on, by a slot that goes with its connection."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._slot = f"orchestra_dev_{os.getpid()}"
        self._connection: psycopg.Connection[Any] | None = None
        self._quiet = False

    def __enter__(self) -> Self:
        """Raises DevDatabaseError where this server or role does not allow it."""
        connection = psycopg.connect(self._dsn, autocommit=True, application_name="orchestra dev")
        try:
            # A transaction that has written and goes on would be waited for.
            connection.execute("set statement_timeout = '10s'")
            connection.execute(_SLOT, [self._slot, PLUGIN])
            connection.execute("set datestyle = 'ISO'")
            connection.execute("set timezone = 'UTC'")
        except psycopg.Error as fault:
            connection.close()
            raise DevDatabaseError(
                f"what is committed cannot be followed: {fault.diag.message_primary}"
            ) from fault
        self._quiet = _quieten(connection)
        self._connection = connection
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    @property
    def quiet(self) -> bool:
        """Whether the server's log is spared: it has some lines at each look where the role may not forbid that."""
        return self._quiet

    def take(self) -> list[Transaction]:
        """What was committed since the last call. Raises psycopg.OperationalError where the connection is lost."""
        assert self._connection is not None
        lines = [line for (line,) in self._connection.execute(_TAKE, [self._slot, AT_A_TIME])]
        if len(lines) >= MANY:
            self._move_on()
        return list(parsed(lines))

    def _move_on(self) -> None:
        """Else each call would read again, for some seconds, what was read already."""
        assert self._connection is not None
        try:
            self._connection.execute("select pg_catalog.pg_log_standby_snapshot()")
        except psycopg.errors.InsufficientPrivilege:
            pass  # the server does it by itself every 15 seconds
        except psycopg.errors.UndefinedFunction:
            pass  # before PostgreSQL 16


def _quieten(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("set log_min_messages = 'fatal'")
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def parsed(lines: list[str]) -> Iterator[Transaction]:
    """The lines that the plugin writes, as transactions."""
    changes: list[Change] = []
    for line in lines:
        if line.startswith("table "):
            change = _change(line)
            if change is not None:
                changes.append(change)
        elif found := _COMMIT.match(line):
            if changes:
                yield Transaction(datetime.fromisoformat(_offset(found[1])), tuple(changes))
            changes = []
        elif line.startswith("BEGIN"):
            changes = []


def _offset(text: str) -> str:
    """`2026-11-29 04:00:00.123+00` with minutes in its offset, as Python wants them."""
    return text if re.search(r"[+-]\d\d:\d\d$", text) else f"{text}:00"


def _change(line: str) -> Change | None:
    found = _ROW.match(line)
    if found is None:
        return None
    table, verb, columns = found.groups()
    if _NEW in columns and columns.startswith(" old-key:"):
        columns = columns.partition(_NEW)[2]
    row = {m[1]: _value(m[2], m[3]) for m in _COLUMN.finditer(columns)}
    return Change(table, verb, row)


def _value(quoted: str | None, bare: str | None) -> str | None:
    if quoted is not None:
        return quoted.replace("''", "'")
    return None if bare == "null" else bare
