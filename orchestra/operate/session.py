"""A transaction in which an operator's verbs run, under the operator's name."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import psycopg

from orchestra.errors import BlockedError, OrchestraError, UsageError
from orchestra.live.connect import Database, first_line

LOCK_TIMEOUT_MS: Final = 5_000
STATEMENT_TIMEOUT_MS: Final = 60_000
"""A verb works on one row or in batches; what takes longer than this waits for somebody."""

_BEGIN: Final = (
    f"begin isolation level read committed; set local lock_timeout = {LOCK_TIMEOUT_MS}; "
    f"set local statement_timeout = {STATEMENT_TIMEOUT_MS}"
)
_USAGE: Final = frozenset({"ORC20", "ORC21", "ORC22", "ORC25"})
"""Names that mean nothing here, or too much (docs/runtime.md)."""
_BLOCKED: Final = frozenset({"42501", "ORC10", "ORC11", "ORC12"})


def require(database: Database, project: str) -> None:
    """UsageError unless this project was applied to this database."""
    with database.reading("begin transaction read only"):
        (there,) = database.rows("select pg_catalog.to_regclass('orchestra.project') is not null as known")
        if not there["known"]:
            raise UsageError(
                "orchestra was never applied to this database", "orchestra apply makes what the spec declares"
            )
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
    """
    try:
        with database.transaction(_BEGIN):
            database.rows(
                "select pg_catalog.set_config('orchestra.actor', %(actor)s, true), "
                "pg_catalog.set_config('orchestra.reason', %(reason)s, true)",
                {"actor": actor or "", "reason": reason or ""},
            )
            yield
            database.script("commit")
    except psycopg.Error as error:
        raise refusal(error) from error


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
