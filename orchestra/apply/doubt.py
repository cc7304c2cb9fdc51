"""A connection that is lost at commit leaves it open whether the commit happened. The ledger knows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import psycopg

from orchestra.errors import ApplyError, InDoubtError, OrchestraError
from orchestra.live.connect import Database, connect

_TRIES: Final = 20
_PAUSE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Marker:
    """A row of the ledger, and the transaction that wrote it."""

    deployment: int
    xact: str


def settle(database: Database, marker: Marker, error: psycopg.Error) -> None:
    """Returns if the commit happened, raises ApplyError if it did not, InDoubtError if nobody can tell for now."""
    for _ in range(_TRIES):
        try:
            again = connect(database.url)
        except OrchestraError:
            time.sleep(_PAUSE_S)
            continue
        try:
            state = _state(again, marker)
        except psycopg.Error:
            state = "in progress"
        finally:
            again.close()
        if state == "committed":
            return
        if state == "aborted":
            raise ApplyError(
                "the connection was lost at commit, and the server rolled the changes back",
                "nothing was changed; try again",
            ) from error
        time.sleep(_PAUSE_S)
    raise InDoubtError(
        "the connection was lost at commit and the server cannot be asked whether it happened",
        f"look at orchestra.deployment: if row {marker.deployment} is there, the changes are made; or just plan again",
    ) from error


def _state(database: Database, marker: Marker) -> str:
    """`committed`, `aborted` or `in progress`. A first apply that was rolled back leaves no ledger to look into."""
    (row,) = database.rows(
        "select to_regclass('orchestra.deployment') is not null as ledger, "
        "coalesce(pg_xact_status(%(xact)s::xid8), 'aborted') as status",
        {"xact": marker.xact},
    )
    if row["status"] == "in progress":
        return "in progress"
    recorded = row["ledger"] and database.rows(
        "select id from orchestra.deployment where id = %(id)s", {"id": marker.deployment}
    )
    return "committed" if recorded else "aborted"
