"""A database with the runtime installed, as the non-superuser role of a hosted project, and short ways to use it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from engines import Engine
from psycopg.types.json import Jsonb

from orchestra import runtime

PROJECT = "shop"
_numbers = itertools.count(1)


def install(connection: psycopg.Connection[Any]) -> None:
    """What apply does: the migrations, then all functions."""
    with connection.transaction():
        for _, text in runtime.migrations():
            connection.execute(text)
        install_functions(connection)


def install_functions(connection: psycopg.Connection[Any]) -> None:
    for _, text in runtime.functions():
        connection.execute(text)


@dataclass
class Turn:
    """What a turn answered. `given` are the messages handed out: (msg_id, read_ct, attempt, message, headers)."""

    verdict: str
    wait_ms: int | None
    alone: bool
    given: list[tuple[int, int, int, Any, Any]]
    late: list[int]

    @property
    def ids(self) -> list[int]:
        return [m[0] for m in self.given]


class Worker:
    """A worker of an Edge Function as the database sees it: it speaks the protocol and does what the test says."""

    def __init__(self, db: RuntimeDb, workload: str, contract: str = "c1") -> None:
        self.db = db
        self.workload = workload
        self.contract = contract
        self.seq = 0
        self.held: dict[int, int] = {}
        row = db.rows(
            "select verdict, slot, token::text, config from orchestra.enter_v1(%s, %s, %s)",
            PROJECT,
            workload,
            contract,
        )[0]
        self.verdict, self.slot, self.token, self.config = row

    def turn(
        self,
        want: int = 0,
        *,
        ack: Iterable[int] = (),
        back: Iterable[int] = (),
        fails: Iterable[dict[str, Any]] = (),
        results: dict[str, Any] | None = None,
        seq: int | None = None,
        connection: psycopg.Connection[Any] | None = None,
    ) -> Turn:
        """The next turn, or with `seq` that one again."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        ack, back, failed = list(ack), list(back), list(fails)
        rows = (
            (connection or self.db.main)
            .execute(
                "select verdict, msg_id, read_ct, attempt, message, headers from orchestra.turn_v1("
                "%s, %s, %s, %s, %s, %s, %s::bigint[], %s::int[], %s, %s, %s::bigint[], %s::int[], %s)",
                (
                    PROJECT,
                    self.workload,
                    self.slot,
                    self.token,
                    seq,
                    self.contract,
                    ack,
                    [self.held.get(i, 1) for i in ack],
                    Jsonb(results) if results is not None else None,
                    Jsonb([{"ct": self.held.get(int(f["id"]), 1), **f} for f in failed]) if failed else None,
                    back,
                    [self.held.get(i, 1) for i in back],
                    want,
                ),
            )
            .fetchall()
        )
        own = rows[0]
        given = [tuple(r[1:]) for r in rows if r[0] == "run"]
        for done in (*ack, *back, *(int(f["id"]) for f in failed)):
            self.held.pop(done, None)
        self.held.update({m[0]: m[1] for m in given})
        late = [r[1] for r in rows if r[0] == "late"]
        return Turn(own[0], own[4]["wait_ms"], own[4]["alone"], given, late)

    def extend(self, ids: Iterable[int] | None = None) -> list[int]:
        """The ids that are lost."""
        ids = list(self.held if ids is None else ids)
        return [
            r[0]
            for r in self.db.rows(
                "select orchestra.extend_v1(%s, %s, %s, %s, %s::bigint[], %s::int[])",
                PROJECT,
                self.workload,
                self.slot,
                self.token,
                ids,
                [self.held.get(i, 1) for i in ids],
            )
        ]

    def leave(self, back: Iterable[int] = (), *, connection: psycopg.Connection[Any] | None = None) -> None:
        back = list(back)
        (connection or self.db.main).execute(
            "select orchestra.leave_v1(%s, %s, %s, %s, %s::bigint[], %s::int[])",
            (PROJECT, self.workload, self.slot, self.token, back, [self.held.pop(i, 1) for i in back]),
        )


class RuntimeDb:
    """One installed database; every test makes workloads of its own in it."""

    def __init__(self, engine: Engine, dsn: str) -> None:
        self.engine = engine
        self.dsn = dsn
        self._main: psycopg.Connection[Any] | None = None

    @property
    def main(self) -> psycopg.Connection[Any]:
        """The connection of the test itself; opened again after a test has crashed the server."""
        if self._main is None or self._main.closed or self._main.broken:
            self._main = self.connect()
        return self._main

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        options.setdefault("autocommit", True)
        return psycopg.connect(self.dsn, **options)

    def rows(self, query: str, *params: Any) -> list[Any]:
        cursor = self.main.execute(query, params or None)
        return cursor.fetchall() if cursor.description else []

    def one(self, query: str, *params: Any) -> Any:
        """The only column of the only row."""
        [row] = self.rows(query, *params)
        [value] = row if len(row) == 1 else [row]
        return value

    def run(self, query: str, *params: Any) -> None:
        self.main.execute(query, params or None)

    def queue(self, sql: str | None = "select $1, $2, $3", *, name: str | None = None, **columns: Any) -> str:
        """A queue workload with its queue, quick to retry; its name, which nothing else has."""
        return self._with_queue(name or f"w{next(_numbers)}", {"sql": sql, **columns})

    def edge(self, *, name: str | None = None, **columns: Any) -> str:
        """A queue whose handler is an Edge Function of version `c1`; its name, which nothing else has."""
        own = {
            "handler": "edge",
            "contract": "c1",
            "url_secret": "function_url",
            "key_secret": "function_key",
            "batch_size": 10,
            "concurrency": 10,
        }
        name = self._with_queue(name or f"e{next(_numbers)}", {**own, **columns})
        self.run("insert into orchestra.wake (project, workload) values (%s, %s)", PROJECT, name)
        return name

    def _with_queue(self, name: str, columns: dict[str, Any]) -> str:
        self.run("select pgmq.create(%s)", name)
        usual = {
            "pattern": "queue",
            "queue_name": name,
            "timeout_ms": 5_000,
            "visibility_timeout_ms": 30_000,
            "max_attempts": 3,
            "poll_interval_ms": 1_000,
            "backoff_jitter": "none",
        }
        return self.insert_workload(name, {**usual, **columns})

    def worker(self, name: str, contract: str = "c1") -> Worker:
        """Comes in as a worker of that version; it may be told to leave at once."""
        return Worker(self, name, contract)

    def scheduled(self, sql: str = "select $1, $2, $3", **columns: Any) -> str:
        name = f"s{next(_numbers)}"
        return self.insert_workload(
            name, {"pattern": "scheduled_sql", "sql": sql, "timeout_ms": 5_000, **columns}
        )

    def insert_workload(self, name: str, columns: dict[str, Any]) -> str:
        self._insert("workload", {"project": PROJECT, "name": name, "handler": "sql", **columns})
        return name

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
        self.run(f"insert into orchestra.{table} ({names}) values ({marks})", *row.values())

    def alter(self, name: str, **columns: Any) -> None:
        sets = ", ".join(f"{c} = %s" for c in columns)
        self.run(f"update orchestra.workload set {sets} where name = %s", *columns.values(), name)

    def schedule(self, name: str, position: int = 1, **columns: Any) -> None:
        """A schedule of long ago, so that its past due times count."""
        self._insert(
            "schedule",
            {"project": PROJECT, "workload": name, "position": position, "since": "2020-01-01", **columns},
        )

    def send(self, name: str, payload: str = "{}", delay: str | None = None) -> int:
        return int(self.one("select orchestra.send(%s, %s::jsonb, %s::interval)", name, payload, delay))

    def send_many(self, name: str, count: int) -> None:
        self.run(
            "select orchestra.send_many(%s, array(select to_jsonb(i) from generate_series(1, %s) i))",
            name,
            count,
        )

    def enqueue(
        self,
        name: str,
        payloads: Iterable[Any],
        *,
        run: int | None = None,
        total: int | None = None,
        caller: str | None = None,
        connection: psycopg.Connection[Any] | None = None,
    ) -> Any:
        """What the HTTP function calls for the items of a request: (verdict, run, ids)."""
        items = [Jsonb(p) for p in payloads]
        cursor = (connection or self.main).execute(
            "select verdict, run, ids from orchestra.enqueue_v1(%s, %s, 'c1', %s::jsonb[], %s, %s, %s)",
            (PROJECT, name, items, run, len(items) if total is None else total, caller),
        )
        return cursor.fetchone()

    def drop_headers(self, name: str) -> None:
        """As if an early pgmq had made the queue, whose messages have none."""
        for table in (f"q_{name}", f"a_{name}"):
            self.run(f"alter table pgmq.{table} drop column if exists headers")

    def make_visible(self, name: str) -> None:
        """As if what delays, backoffs and leases keep back were due by now."""
        self.run(f"update pgmq.q_{name} set vt = now() - interval '1 second'")

    def release_slots(self, name: str) -> None:
        """As if workers had not been heard of for as long as their slots are kept for them."""
        self.run(
            "update orchestra.slot set lease_until = now() - interval '1 second' where workload = %s", name
        )

    def release_leases(self, name: str) -> None:
        """As if all workers had gone away long ago, with what they held."""
        self.make_visible(name)
        self.release_slots(name)

    def drain(self, name: str, worker: int = 1) -> None:
        """One run of a worker on a connection of its own, as pg_cron would make it."""
        with self.connect() as connection:
            connection.execute("call orchestra.drain_sql(%s, %s, %s)", (PROJECT, name, worker))

    def tick(self, interval_ms: int = 1_000) -> None:
        self.run("call orchestra.tick(%s, %s)", PROJECT, interval_ms)

    def fire(self, name: str, position: int = 1) -> None:
        with self.connect() as connection:
            connection.execute("call orchestra.fire(%s, %s, %s)", (PROJECT, name, position))

    def housekeep(self) -> None:
        with self.connect() as connection:
            connection.execute("call orchestra.housekeep(%s)", (PROJECT,))

    def catch_up(self) -> None:
        with self.connect() as connection:
            connection.execute("call orchestra.catch_up(%s)", (PROJECT,))

    def remove(self, name: str) -> None:
        """What an apply does to a workload that is no longer in the spec."""
        address = f"workload.{name}"
        self.run("select orchestra.claim(%s, %s, %s, '{}')", PROJECT, address, name)
        self.run("delete from orchestra.workload where name = %s", name)
        self.run("select orchestra.release(%s, %s)", PROJECT, address)

    def pages(self, statement: str) -> int:
        """How many pages a statement looks at, once the caches of its session are warm."""
        with self.connect() as connection:
            for _ in range(6):
                connection.execute(statement)
            row = connection.execute(f"explain (analyze, buffers, format json) {statement}").fetchone()
        assert row is not None
        plan: dict[str, Any] = row[0][0]["Plan"]
        return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])

    def depth(self, name: str) -> int:
        return int(self.one(f"select count(*) from pgmq.q_{name}"))

    def dead(self, name: str) -> list[Any]:
        return self.rows(
            "select msg_id, attempts, reason, error, sqlstate from orchestra.dead_letter "
            "where workload = %s order by id",
            name,
        )

    def slot(self, name: str, slot: int = 1) -> Any:
        return self.rows(
            "select token, pid, held, held_ct from orchestra.slot where workload = %s and slot = %s",
            name,
            slot,
        )[0]

    def running_pid(self, name: str, slot: int = 1) -> int:
        """The backend whose handler is running, once it is."""
        return int(
            self.wait_for(
                "select s.pid from orchestra.slot s join pg_stat_activity a on a.pid = s.pid "
                "where s.workload = %s and s.slot = %s and s.due_at is not null",
                name,
                slot,
            )
        )

    def wait_for(self, query: str, *params: Any, seconds: float = 15) -> Any:
        """The query's value, once it is neither null nor false."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            rows = self.rows(query, *params)
            if rows and rows[0][0]:
                return rows[0][0]
            time.sleep(0.01)
        raise AssertionError(f"never came true: {query} {params}")

    def wait_until_blocked(self, connection: psycopg.Connection[Any]) -> None:
        """Until the connection waits for somebody else's lock."""
        self.wait_for(
            "select wait_event_type = 'Lock' from pg_stat_activity where pid = %s",
            connection.info.backend_pid,
        )

    @contextmanager
    def background(self, *targets: Callable[[], object]) -> Iterator[list[psycopg.Error]]:
        """Run functions in threads; at the end they are waited for. The database errors that ended some of them are
        yielded, for those to whom they are of interest."""
        errors: list[psycopg.Error] = []

        def begin(target: Callable[[], object]) -> None:
            try:
                target()
            except psycopg.Error as error:
                errors.append(error)

        threads = [threading.Thread(target=begin, args=(t,), daemon=True) for t in targets]
        for thread in threads:
            thread.start()
        yield errors
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()

    def at_once(self, *targets: Callable[[psycopg.Connection[Any]], object]) -> None:
        """Run functions, each with a connection of its own, that begin at the same moment. None may meet an error."""
        gate = threading.Barrier(len(targets), timeout=20)

        def begin(target: Callable[[psycopg.Connection[Any]], object]) -> None:
            with self.connect() as connection:
                gate.wait()
                target(connection)

        with self.background(*(partial(begin, target) for target in targets)) as errors:
            pass
        assert errors == []

    @contextmanager
    def another(self) -> Iterator[RuntimeDb]:
        """The same database over a connection of its own, for a thread."""
        other = RuntimeDb(self.engine, self.dsn)
        try:
            yield other
        finally:
            other.close()

    @contextmanager
    def sql_workers(self, name: str, count: int) -> Iterator[None]:
        """What pg_cron does: call each worker again and again, and the tick, whatever becomes of the backends."""
        stop = threading.Event()

        def call(statement: str, *params: object) -> None:
            while not stop.is_set():
                with suppress(psycopg.Error), self.connect() as connection:
                    while not stop.is_set():
                        connection.execute(statement, params)
                        stop.wait(0.02)
                stop.wait(0.02)

        drain, tick = "call orchestra.drain_sql(%s, %s, %s)", "call orchestra.tick(%s, 1000)"
        workers = [partial(call, drain, PROJECT, name, w) for w in range(1, count + 1)]
        with self.background(*workers, partial(call, tick, PROJECT)):
            try:
                yield
            finally:
                stop.set()

    def terminate(self, pid: int) -> None:
        self.run("select pg_terminate_backend(%s, 5000)", pid)

    def close(self) -> None:
        if self._main is not None:
            self._main.close()
