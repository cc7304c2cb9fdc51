"""One connection, and how often it went to the server and back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import psycopg
from psycopg import generators, pq
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from orchestra.errors import ConnectError, UsageError

Row = dict[str, Any]


_TRY = "nothing was changed; try again, or connect as a role that may read it"
_AGAIN = {
    "55P03": "nothing was changed; somebody holds a lock on it, an apply or a migration: try again when it has ended",
    "57014": "nothing was changed; it took too long: try again, or look whether the server is overloaded",
}
"""What to do about a statement that waited or worked for too long."""


class Database:
    """A connection in autocommit: transactions are written out, so that what is sent is what is read here.

    No named prepared statements are used, so it works behind a transaction pooler. `round_trips` counts how often
    an answer was waited for.
    """

    def __init__(self, connection: psycopg.Connection[Row], url: str) -> None:
        self.connection = connection
        self.url = url
        self.round_trips = 0

    @property
    def host(self) -> str:
        info = self.connection.info
        return info.host if not info.host.startswith("/") else "local socket"

    @property
    def keywords(self) -> dict[str, str]:
        """Where the connection really leads, in libpq's words and without the password: what the URL left to the
        environment or to a service file is in it."""
        info = self.connection.info
        return {**info.get_parameters(), "host": info.host, "port": str(info.port), "user": info.user}

    @property
    def backend_pid(self) -> int:
        return self.connection.info.backend_pid

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Runs one query and gives its rows."""
        self.round_trips += 1
        cursor = self.connection.execute(_text(sql), parameters)
        return cursor.fetchall() if cursor.description else []

    def script(self, sql: str) -> None:
        """Runs one text that may hold several statements."""
        self.round_trips += 1
        self.connection.execute(_text(sql))

    def each(self, statements: Sequence[str]) -> None:
        """Runs single statements in one pipeline; raises StatementError for the first that fails."""
        if not statements:
            return
        pgconn = self.connection.pgconn
        commands = deque(partial(pgconn.send_query_params, s.encode(), []) for s in statements)
        for number, results in enumerate(self._pipelined([*commands, pgconn.pipeline_sync])):
            for result in results:
                if result.status == pq.ExecStatus.FATAL_ERROR:
                    raise StatementError(number, _error(result))

    def parse(self, groups: Sequence[Sequence[str]], types: Sequence[int]) -> list[psycopg.Error | None]:
        """For each group: runs all but its last statement, parses the last as an unnamed statement with parameters of
        the given type oids, and undoes it all. Gives the error of each, or None.

        Needs an open transaction. Parsing refuses several statements and leaves nothing behind.
        """
        pgconn = self.connection.pgconn

        def last(sql: bytes) -> Callable[[], None]:
            return partial(pgconn.send_prepare, b"", sql, list(types))

        # Nearly always all of them are sound; which one is not takes a savepoint for each.
        if not groups or self._all_succeed(groups, last):
            return [None] * len(groups)
        return [error for _, error in self._guarded(groups, last)]

    def attempt(self, groups: Sequence[Sequence[str]]) -> list[tuple[str | None, psycopg.Error | None]]:
        """Like `parse`, but runs the last statement too; gives the first column of its first row as text."""
        pgconn = self.connection.pgconn
        return self._guarded(groups, lambda sql: partial(pgconn.send_query_params, sql, []))

    def _all_succeed(
        self, groups: Sequence[Sequence[str]], last: Callable[[bytes], Callable[[], None]]
    ) -> bool:
        """Whether all groups run, one after the other, inside one savepoint that is rolled back."""
        pgconn = self.connection.pgconn
        commands: list[Callable[[], None]] = [
            partial(pgconn.send_query_params, b"savepoint orchestra_guard", [])
        ]
        done: Sequence[str] = ()
        for *before, final in groups:
            if before != done:
                commands += [partial(pgconn.send_query_params, sql.encode(), []) for sql in before]
                done = before
            commands.append(last(final.encode()))
        commands.append(pgconn.pipeline_sync)
        commands.append(partial(pgconn.send_query_params, b"rollback to savepoint orchestra_guard", []))
        commands.append(pgconn.pipeline_sync)
        results = [r for found in self._pipelined(commands) for r in found]
        return all(r.status != pq.ExecStatus.FATAL_ERROR for r in results)

    def _guarded(
        self, groups: Sequence[Sequence[str]], last: Callable[[bytes], Callable[[], None]]
    ) -> list[tuple[str | None, psycopg.Error | None]]:
        """Each group inside a savepoint of its own that is rolled back, all in one round trip."""
        if not groups:
            return []
        pgconn = self.connection.pgconn
        commands: list[Callable[[], None]] = []
        for *before, final in groups:
            for sql in ("savepoint orchestra_guard", *before):
                commands.append(partial(pgconn.send_query_params, sql.encode(), []))
            commands += [last(final.encode()), pgconn.pipeline_sync]
            commands.append(partial(pgconn.send_query_params, b"rollback to savepoint orchestra_guard", []))
            commands.append(pgconn.pipeline_sync)
        answers = iter(self._pipelined(commands))
        found: list[tuple[str | None, psycopg.Error | None]] = []
        for group in groups:
            results = [r for _ in range(len(group) + 1) for r in next(answers)]
            failed = [r for r in results if r.status == pq.ExecStatus.FATAL_ERROR]
            final_result = results[-1]
            value = final_result.get_value(0, 0) if not failed and final_result.ntuples else None
            found.append(
                (value.decode() if value is not None else None, _error(failed[0]) if failed else None)
            )
            for _ in range(3):  # the sync, the rollback, its sync
                next(answers)
        return found

    def _pipelined(self, commands: Sequence[Callable[[], None]]) -> list[list[pq.abc.PGresult]]:
        """The results of each command, in order. One round trip, whatever their number."""
        self.round_trips += 1
        pgconn = self.connection.pgconn
        pgconn.enter_pipeline_mode()
        try:
            return self.connection.wait(_communicate(pgconn, commands))
        finally:
            if pgconn.status == pq.ConnStatus.OK:
                pgconn.exit_pipeline_mode()

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self, begin: str) -> Generator[None]:
        """`begin` opens it; it is rolled back on any way out but `commit`."""
        self.script(begin)
        try:
            yield
        finally:
            if not self.connection.closed and self.connection.info.transaction_status not in (
                pq.TransactionStatus.IDLE,
                pq.TransactionStatus.UNKNOWN,
            ):
                # A connection that broke meanwhile rolls back by itself; the fault that led here is the one to tell.
                with suppress(psycopg.Error):
                    self.script("rollback")

    @contextmanager
    def reading(self, begin: str) -> Generator[None]:
        """A transaction that only reads; what the server refuses or the network loses becomes a ConnectError."""
        try:
            with self.transaction(begin):
                yield
        except psycopg.Error as error:
            raise ConnectError(
                f"the database could not be read: {first_line(error)}",
                error.diag.message_hint or _AGAIN.get(error.sqlstate or "", _TRY),
            ) from error


def first_line(error: psycopg.Error) -> str:
    """What an error says, without its context."""
    return error.diag.message_primary or (str(error).strip() or type(error).__name__).splitlines()[0]


class StatementError(Exception):
    """Statement number `index` of a sequence failed with `error`."""

    def __init__(self, index: int, error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.index = index
        self.error = error


def _communicate(
    pgconn: pq.abc.PGconn, commands: Sequence[Callable[[], None]]
) -> PQGen[list[list[pq.abc.PGresult]]]:
    results: list[list[pq.abc.PGresult]] = yield from generators.pipeline_communicate(pgconn, deque(commands))
    while len(results) < len(commands):
        results.append((yield from generators.fetch_many(pgconn)))
    return results


def _error(result: pq.abc.PGresult) -> psycopg.Error:
    return psycopg.errors.error_from_result(result)


def _text(sql: str) -> Any:
    # The texts come from the project's own .sql files and from ir.sql, the one place that quotes.
    return sql


def connect(url: str) -> Database:
    """Opens a connection, or raises ConnectError without the password in it."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise UsageError(
            "the database URL cannot be read", "write it as postgresql://user:password@host:5432/database"
        ) from None
    if _torn(url):
        raise UsageError(
            "the database URL cannot be read: a character of its password ends it early",
            "write @ as %40, / as %2F and : as %3A in the password",
        ) from None
    settings: dict[str, Any] = {"connect_timeout": "10", "application_name": "orchestra", **parts}
    try:
        connection = psycopg.connect(
            make_conninfo(**settings), autocommit=True, prepare_threshold=None, row_factory=dict_row
        )
    except psycopg.OperationalError as error:
        message = _without_password(_reason(str(error)), parts.get("password"))
        raise ConnectError(
            f"cannot connect to {safe(url)}: {message}",
            "check that the server runs, and the host, port, user, password and database of the URL",
        ) from None
    return Database(connection, url)


def _reason(text: str) -> str:
    """What libpq says, without what it asks back on lines of their own, and without the address that stands before."""
    lines = [line for line in text.strip().splitlines() if line[:1].strip()]
    return lines[-1].rpartition(" failed: ")[2].strip() if lines else "no reason was given"


def machine(host: str) -> str:
    """One word for the ways in which this machine is called."""
    return "local socket" if host in ("localhost", "127.0.0.1", "::1") else host


def keywords(url: str) -> dict[str, str]:
    """A URL in libpq's words, without the password; nothing where it cannot be read."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return {}
    return {k: str(v) for k, v in parts.items() if v is not None and k != "password"}


def safe(url: str) -> str:
    """A URL as it may be printed: host, port, database and user, no password and no other settings."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "the given URL"
    if _torn(url):
        return "the given URL"
    host = str(parts.get("host") or "local socket")
    host = "local socket" if host.startswith("/") else host
    port = f":{parts['port']}" if parts.get("port") and host != "local socket" else ""
    return f"{parts.get('user') or 'the default user'}@{host}{port}/{parts.get('dbname') or ''}"


def _torn(url: str) -> bool:
    """Whether part of the password would be taken for the host or the database, and so be printed as one."""
    _, scheme, rest = url.partition("://")
    authority, _, path = rest.partition("?")[0].partition("/")
    return bool(scheme) and url.startswith("postgres") and (authority.count("@") > 1 or "@" in path)


def _without_password(message: str, password: object) -> str:
    return message.replace(str(password), "***") if password else message
