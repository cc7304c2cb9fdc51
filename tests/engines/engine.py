"""What a test holds: one engine with its database."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from engines import supabase
from engines.reset import reset
from engines.server import Server
from engines.waiting import eventually
from orchestra.dev.binaries import clean_environment, tool

NAMES = ("embedded", "pg17", "pg15")


class PsqlError(AssertionError):
    """psql stopped at an error; the message holds its whole output."""


class Engine:
    """A real PostgreSQL, with the database in which cron runs."""

    def __init__(self, name: str, server: Server) -> None:
        self.name = name
        self.dsn = dsn = server.dsn  # URL, superuser `postgres`
        self._server = server
        self._connections: list[psycopg.Connection[Any]] = []
        with psycopg.connect(dsn) as probe:
            self.server_version = probe.info.server_version  # as in server_version_num, such as 170011

    def __repr__(self) -> str:
        return f"Engine({self.name!r}, {self.dsn!r})"

    @property
    def is_embedded(self) -> bool:
        return self.name == "embedded"

    @property
    def has_seconds(self) -> bool:
        """Whether pg_cron takes `N seconds` here (1.5 and up)."""
        return self.name != "pg15"

    @property
    def cron_version(self) -> str:
        """What `pg_extension.extversion` says after `create extension pg_cron`."""
        return "1.4-1" if self.name == "pg15" else "1.6"

    def url(self, *, user: str | None = None, database: str | None = None) -> str:
        """The DSN with another user or database."""
        parts = urlsplit(self.dsn)
        host = parts.netloc.rpartition("@")[2]
        netloc = f"{user or 'postgres'}@{host}"
        path = f"/{database}" if database else parts.path
        return urlunsplit(parts._replace(netloc=netloc, path=path))

    def connect(
        self, *, user: str | None = None, database: str | None = None, **options: Any
    ) -> psycopg.Connection[Any]:
        """A connection that is closed with the test; `options` as for psycopg.connect."""
        connection = psycopg.connect(self.url(user=user, database=database), **options)
        self._connections.append(connection)
        return connection

    def execute(
        self, query: str, params: Sequence[Any] | None = None, *, user: str | None = None
    ) -> list[Any]:
        """Run one statement on a connection of its own, committed; its rows, or [] when it has none."""
        with psycopg.connect(self.url(user=user), autocommit=True) as connection:
            cursor = connection.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    def psql(
        self,
        script: str | Path,
        *,
        user: str | None = None,
        database: str | None = None,
        options: Sequence[str] = (),
        check: bool = True,
    ) -> str:
        """Run SQL text, or a file given as a Path, with a real psql and ON_ERROR_STOP; its output, errors
        included.

        Raises PsqlError when psql stops at an error, unless `check` is false.
        """
        command = [tool("psql"), "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", *options]
        command += ["--file", str(script) if isinstance(script, Path) else "-"]
        done = subprocess.run(
            [*command, self.url(user=user, database=database)],
            input=None if isinstance(script, Path) else script,
            stdin=subprocess.DEVNULL if isinstance(script, Path) else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean_environment(),
            check=False,
        )
        if check and done.returncode != 0:
            raise PsqlError(f"psql ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def pg_dump(
        self, schemas: Sequence[str] = (), *, database: str | None = None, options: Sequence[str] = ()
    ) -> str:
        """The schema-only dump of some schemas (default: all), the same text for the same objects."""
        command = [tool("pg_dump"), "--schema-only", "--restrict-key=tests", *options]
        command += [f"--schema={name}" for name in schemas]
        done = subprocess.run(
            [*command, self.url(database=database)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=clean_environment(),
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(f"pg_dump failed: {done.stderr}")
        return done.stdout

    def reset(self) -> None:
        """Back to pristine: no extensions, jobs, schemas, roles, databases or other clients of a test."""
        self.close_connections()
        reset(self.dsn)

    def quiesce(self) -> None:
        """Stop what would go on after the test: connections and cron jobs. The rest waits for `reset`."""
        self.close_connections()
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            if connection.execute("select to_regclass('cron.job')").fetchone() != (None,):
                connection.execute("delete from cron.job")

    def crash(self) -> None:
        """kill -9 of a backend: the server starts again, with what was committed and without what is unlogged."""
        born = "select backend_start from pg_stat_activity where backend_type = 'checkpointer'"

        def reborn() -> bool:
            try:
                return self.execute(born) not in ([], before)
            except psycopg.OperationalError:
                return False

        with psycopg.connect(self.dsn, autocommit=True) as victim:
            before = victim.execute(born).fetchall()
            victim.execute("checkpoint")  # commits of these servers do not wait for the disk
            os.kill(victim.info.backend_pid, signal.SIGKILL)
        eventually(reborn, within=30, what="the server's return")

    def close_connections(self) -> None:
        while self._connections:
            self._connections.pop().close()

    @contextmanager
    def new_database(self, name: str = "other") -> Iterator[str]:
        """An empty database beside the one of cron (where pg_cron cannot be created); yields its URL."""
        identifier = sql.Identifier(name)
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {} template template0").format(identifier))
            try:
                yield self.url(database=name)
            finally:
                self.close_connections()
                connection.execute(sql.SQL("drop database {} with (force)").format(identifier))

    def hosted(self, *, pgmq: bool = True, cron: bool = True, calls: bool = False) -> supabase.Hosted:
        """Make the setting of a hosted Supabase project; see engines.supabase."""
        return supabase.make(self, pgmq=pgmq, cron=cron, calls=calls)

    def run_ticker(self) -> AbstractContextManager[object]:
        """While this is open, due cron jobs run: by the ticker, or by pg_cron, which is always live."""
        if not self.is_embedded:
            return nullcontext()
        from orchestra.dev.ticker import Ticker

        return Ticker(self.dsn)

    def restart(self) -> None:
        """Restart a real server in good order; whoever is connected is sent away (57P01)."""
        self._server.restart()

    def fresh_launcher(self) -> None:
        """pg_cron's launcher may be stuck over jobs of the test before, whose connections were ended as they began."""
        if self.is_embedded:
            return
        query = "select pid from pg_stat_activity where backend_type = 'pg_cron launcher'"
        before = self.execute(query)
        self.execute(f"select pg_terminate_backend(pid) from ({query}) launcher")
        eventually(lambda: self.execute(query) not in ([], before), within=10, what="a new launcher")
