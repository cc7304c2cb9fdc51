"""Prepared statements through libpq itself: what a client costs least with, so that what differs is the database's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import pq

from benchmarks.result import Unmeasured

PROJECT = "shop"
CONTRACT = "c1"
"""Of the workloads that `databases` makes."""

Rows = pq.abc.PGresult


class Database:
    """One connection. Every statement commits by itself."""

    def __init__(self, dsn: str) -> None:
        self._connection = pq.PGconn.connect(dsn.encode())
        if self._connection.status != pq.ConnStatus.OK:
            raise Unmeasured(self._connection.error_message.decode())

    def prepare(self, name: str, query: str) -> None:
        _checked(self._connection.prepare(name.encode(), query.encode()))

    def call(self, name: str, *values: str | None) -> Rows:
        params: list[Any] = [None if v is None else v.encode() for v in values]
        return _checked(self._connection.exec_prepared(name.encode(), params))

    def both(self, *calls: tuple[str, ...]) -> list[Rows]:
        """Several in one round trip and one transaction."""
        connection = self._connection
        connection.enter_pipeline_mode()
        for name, *values in calls:
            connection.send_query_prepared(name.encode(), [v.encode() for v in values])
        connection.pipeline_sync()
        found: list[Rows] = []
        while not found or found[-1].status != pq.ExecStatus.PIPELINE_SYNC:
            if (result := connection.get_result()) is not None:
                found.append(_checked(result))
        connection.exit_pipeline_mode()
        return found[:-1]

    def close(self) -> None:
        self._connection.finish()


def column(rows: Rows, number: int) -> list[str]:
    return [(rows.get_value(n, number) or b"").decode() for n in range(rows.ntuples)]


def array(values: Sequence[str]) -> str:
    return "{" + ",".join(values) + "}"


def _checked(result: Rows) -> Rows:
    if result.status in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED):
        raise Unmeasured(result.error_message.decode())
    return result


@dataclass(frozen=True, slots=True)
class Claim:
    """What a turn handed out: ids, how often each was read, and their bodies."""

    ids: Sequence[str] = ()
    cts: Sequence[str] = ()
    bodies: Sequence[str] = ()


class Worker:
    """A worker of an Edge Function as the database sees it; what it is handed it has done at once."""

    def __init__(self, db: Database, workload: str) -> None:
        self._db = db
        self._names = (PROJECT, workload)
        self._seq = 0
        self._place: tuple[str, ...] = ()
        db.prepare("enter", "select verdict, slot, token from orchestra.enter_v1($1, $2, $3)")
        db.prepare(
            "turn",
            "select verdict, msg_id, read_ct, attempt, message, headers from orchestra.turn_v1("
            "$1, $2, $3, $4, $5, $6, $7, $8, $9, null, '{}', '{}', $10)",
        )
        db.prepare("leave", "select orchestra.leave_v1($1, $2, $3, $4)")

    def enter(self) -> None:
        entered = self._db.call("enter", *self._names, CONTRACT)
        [verdict], [slot], [token] = (column(entered, n) for n in range(3))
        if verdict != "go":
            raise Unmeasured(f"a worker may not enter: {verdict}")
        self._place, self._seq = (slot, token), 0

    def turn(self, done: Claim, want: int, results: str | None = None) -> Claim:
        """Settles what is done, with what it answered by id as JSON, and claims up to `want`."""
        self._seq += 1
        report = (array(done.ids), array(done.cts), results)
        rows = self._db.call("turn", *self._names, *self._place, str(self._seq), CONTRACT, *report, str(want))
        verdicts = column(rows, 0)
        if verdicts[0] != "go" or "late" in verdicts:
            raise Unmeasured(f"a turn said {verdicts[0]}, with {verdicts.count('late')} late")
        return Claim(column(rows, 1)[1:], column(rows, 2)[1:], column(rows, 4)[1:])

    def leave(self) -> None:
        self._db.call("leave", *self._names, *self._place)
