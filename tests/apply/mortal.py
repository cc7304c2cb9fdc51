"""A connection whose backend is killed at a statement of our choice."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from engines import Engine

from orchestra.live.connect import Database, Row, connect


class Mortal(Database):
    """Counts every statement that goes to the server, one by one, and ends its own backend, from another session,
    right before statement number `dies_at` (from 1), or right after it where `after` is set."""

    def __init__(self, connection: psycopg.Connection[Row], url: str, engine: Engine) -> None:
        super().__init__(connection, url)
        self.engine = engine
        self.dies_at = 0
        self.after = False
        self.statements = 0
        self.killed_at = ""

    def rows(self, sql: str, parameters: object = None) -> list[Row]:
        self._before(sql)
        found = super().rows(sql, parameters)  # type: ignore[arg-type]
        self._behind(sql)
        return found

    def script(self, sql: str) -> None:
        self._before(sql)
        super().script(sql)
        self._behind(sql)

    def each(self, statements: Sequence[str]) -> None:
        for statement in statements:
            self._before(statement)
            super().each([statement])
            self._behind(statement)

    def _before(self, sql: str) -> None:
        self.statements += 1
        if self.statements == self.dies_at and not self.after:
            self._kill(sql)

    def _behind(self, sql: str) -> None:
        if self.statements == self.dies_at and self.after:
            self._kill(sql)

    def _kill(self, sql: str) -> None:
        self.killed_at = sql
        ended = self.engine.execute("select pg_terminate_backend(%s, 5000)", [self.backend_pid])
        assert ended == [(True,)]


def mortal(engine: Engine, *, dies_at: int = 0, after: bool = False) -> Mortal:
    made = Mortal(connect(engine.dsn).connection, engine.dsn, engine)
    made.dies_at, made.after = dies_at, after
    return made
