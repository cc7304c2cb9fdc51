"""Errors of the server in the words of somebody who has to do something about them."""

from __future__ import annotations

from typing import Final

import psycopg

from orchestra.errors import ApplyError, BlockedError, OrchestraError, StalePlanError
from orchestra.plan.model import Change

ROLLED_BACK: Final = "everything was rolled back"
_REFUSALS: Final = {"ORC10", "ORC11", "ORC12", "ORC13"}
_STALE: Final = "ORC14"
_REMEDIES: Final = {
    "55P03": "somebody holds a lock on it; look at pg_stat_activity and try again",
    "57014": "it took longer than its timeout",
    "53200": "raise max_locks_per_transaction",
    "42501": "this role lacks a right; grant it, or connect as the role that has it",
    "40P01": "it met another session in a deadlock; try again",
}


def refuse(change: Change, error: psycopg.Error) -> OrchestraError:
    """The fault of one change; the transaction is rolled back by whoever catches it."""
    if _lost(error):
        return translated(error)
    state = error.diag.sqlstate or ""
    message = f"{change.address}: {_message(error)}"
    hint = _hint(error)
    if state == _STALE:
        return StalePlanError(message, hint)
    if state in _REFUSALS:
        return BlockedError(message, hint)
    return ApplyError(message, f"{ROLLED_BACK}. {hint}".strip())


def translated(error: psycopg.Error) -> OrchestraError:
    """A fault that belongs to no change: the connection, the server, the ledger."""
    if _lost(error):
        return ApplyError(
            f"the connection was lost before the commit: {_message(error)}",
            "the server rolls back what was not committed; plan again to see what is there",
        )
    return ApplyError(_message(error), _hint(error))


def _hint(error: psycopg.Error) -> str:
    """The server's own advice, but where ours is better: at a deadlock it only speaks of its log."""
    ours = _REMEDIES.get(error.diag.sqlstate or "", "")
    return ours if error.diag.sqlstate == "40P01" else error.diag.message_hint or ours


def _message(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _lost(error: psycopg.Error) -> bool:
    state = error.diag.sqlstate or ""
    return (isinstance(error, psycopg.OperationalError) and not state) or state.startswith(("57P", "08"))
