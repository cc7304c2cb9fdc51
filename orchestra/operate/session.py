"""A transaction in which an operator's verbs run, under the operator's name."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import psycopg

from orchestra.errors import BlockedError, InDoubtError, OrchestraError, UsageError
from orchestra.live import installed, server
from orchestra.live.connect import Database, connect, first_line

LOCK_TIMEOUT_MS: Final = 5_000
STATEMENT_TIMEOUT_MS: Final = 60_000
"""A verb works on one row or in batches; what takes longer than this waits for somebody."""
READING: Final = (
    f"begin isolation level repeatable read read only; set local lock_timeout = {LOCK_TIMEOUT_MS}; "
    f"set local statement_timeout = {STATEMENT_TIMEOUT_MS}"
)
"""Begins a transaction that only reads, at one point in time."""

_TRIES: Final = 20
_PAUSE_S: Final = 0.5
"""How often, and after how long, a server that may be starting again is asked what became of a commit."""

_BEGIN: Final = (
    f"begin isolation level read committed; set local lock_timeout = {LOCK_TIMEOUT_MS}; "
    f"set local statement_timeout = {STATEMENT_TIMEOUT_MS}"
)
_USAGE: Final = frozenset({"ORC20", "ORC21", "ORC22", "ORC25"})
"""Names that mean nothing here, or too much (docs/runtime.md)."""
_BLOCKED: Final = frozenset({"42501", "ORC10", "ORC11", "ORC12"})


def require(database: Database, project: str) -> None:
    """UsageError unless this project was applied to this database, by an orchestra that this one understands.
    ConnectError where the role may not see whether it was."""
    with database.reading(READING):
        installed.require(database, server.probe(database), "this command")
        known = [r["project"] for r in database.rows("select project from orchestra.project order by 1")]
    if project not in known:
        raise UsageError(
            f"project {project} was never applied to this database",
            f"it has {', '.join(known)}" if known else "orchestra apply makes what the spec declares",
        )


@contextmanager
def acting(database: Database, actor: str | None, reason: str | None = None) -> Generator[None]:
    """A transaction that commits on the way out; its verbs are recorded under this name and reason. What the runtime
    refuses becomes an OrchestraError: names that it does not know exit with 64, missing rights and other owners with 5.
    A commit whose answer is lost, to the network or to Ctrl-C, is asked for: it returns where it happened, and raises
    InDoubtError where nobody can tell.
    """
    xact = None
    try:
        with database.transaction(_BEGIN):
            (begun,) = database.rows(
                "select pg_catalog.set_config('orchestra.actor', %(actor)s, true), "
                "pg_catalog.set_config('orchestra.reason', %(reason)s, true), "
                "pg_catalog.pg_current_xact_id()::text as xact",
                {"actor": actor or "", "reason": reason or ""},
            )
            yield
            xact = str(begun["xact"])
            database.script("commit")
    except psycopg.Error as error:
        if xact is None or not database.connection.closed:
            raise refusal(error) from error
        if not happened(database, xact):
            raise OrchestraError(
                "the connection was lost at commit, and the server rolled it back",
                "nothing was changed; try again",
            ) from error
    except KeyboardInterrupt:
        if xact is None or not happened(database, xact):
            raise


def happened(database: Database, xact: str) -> bool:
    """Whether a transaction was committed whose commit was sent. InDoubtError where the server cannot be asked."""
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE_S)
        try:
            asked = connect(database.url) if database.connection.closed else database
        except OrchestraError:
            continue
        try:
            (row,) = asked.rows("select pg_catalog.pg_xact_status(%(xact)s::xid8) as status", {"xact": xact})
        except psycopg.Error:
            continue
        finally:
            if asked is not database:
                asked.close()
        if row["status"] != "in progress":
            return bool(row["status"] == "committed")
    raise InDoubtError(
        "the connection was lost at commit and the server cannot be asked whether it happened",
        "orchestra history says what was done by hand: look before you try again",
    )


def refusal(error: psycopg.Error) -> OrchestraError:
    """What the database said, as a fault of ours."""
    state = error.sqlstate or ""
    kind = UsageError if state in _USAGE else BlockedError if state in _BLOCKED else OrchestraError
    remedy = error.diag.message_hint or ""
    if state == "55P03":
        remedy = remedy or "another transaction holds what this needs; try again when it has ended"
    elif state == "42501":
        remedy = remedy or "connect as the role that made the first apply"
    elif state == "42883":
        remedy = (
            "the runtime in this database is older than this orchestra; orchestra apply brings it up to date"
        )
    return kind(first_line(error), remedy or "nothing was changed")
