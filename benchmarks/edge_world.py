"""A spec that runs in full: applied to PostgreSQL with pg_cron, its functions compiled and served by Deno, with the
stand-in of pg_net between them.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.measure import ORCHESTRA, run
from benchmarks.result import Unmeasured
from benchmarks.servers import Engine
from orchestra.dev.edge import EdgeServer, LogLine, database_env
from orchestra.dev.net_worker import NetWorker
from orchestra.kinds.secret import FUNCTION_KEY, FUNCTION_URL, VAULT

PATIENCE_S = 60
_KEY = "sb_secret_for_benchmarks_only"


class World:
    """What a benchmark does from outside. Times are seconds of the wall clock, which processes share."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._seen: dict[str, float] = {}
        self._news = threading.Condition()
        self.edge: EdgeServer

    def note(self, line: LogLine) -> None:
        """Of the lines that functions write, `seen PAYLOAD MILLISECONDS` tells of a handler that began."""
        if line.text.startswith("seen "):
            payload, at = line.text.removeprefix("seen ").rsplit(" ", 1)
            with self._news:
                self._seen[payload] = float(at) / 1000
                self._news.notify_all()

    def seen(self, payload: Any) -> float:
        """When a handler began with this payload."""
        key = json.dumps(payload)
        with self._news:
            if not self._news.wait_for(lambda: key in self._seen, PATIENCE_S):
                raise Unmeasured(f"no handler was given {key}; the functions said: {self._said()}")
            return self._seen[key]

    def send(self, workload: str, payloads: Sequence[Any]) -> float:
        """Enqueues all in one transaction; when its commit was asked for."""
        texts = [json.dumps(payload) for payload in payloads]
        with self._connection.transaction():
            self._connection.execute("select orchestra.send_many(%s, %s::text[]::jsonb[])", [workload, texts])
            return time.time()

    def until_empty(self, workload: str) -> None:
        self._until(f"select not exists (select from pgmq.q_{workload})", 0.005)

    def forget(self, workload: str) -> None:
        """Waits until its workers have left, and ends the isolate, so that the next one has to boot."""
        self._until(
            "select not exists (select from orchestra.slot where workload = %s and token is not null)",
            0.05,
            workload,
        )
        for isolate in self.edge.isolates(workload):
            self.edge.kill(isolate.pid)

    def let_net_rest(self) -> None:
        """Has pg_net make a call, after which it rests."""
        made = self._one("select net.http_get(%s)", f"{self.edge.url}/nothing")
        self._until("select exists (select from net._http_response where id = %s)", 0.001, made)

    def calls(self) -> int:
        """How many calls pg_net has made."""
        return int(self._one("select count(*) from net._http_response"))

    def cpu_s(self, workload: str) -> float:
        """Seconds of CPU of its isolates since they serve."""
        return sum(isolate.cpu_s or 0 for isolate in self.edge.isolates(workload))

    def _one(self, query: str, *params: Any) -> Any:
        row = self._connection.execute(query, params or None).fetchone()
        return row[0] if row is not None else None

    def _until(self, query: str, pause_s: float, *params: Any) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not self._one(query, *params):
            if time.monotonic() > deadline:
                raise Unmeasured(f"never came true: {query}; the functions said: {self._said()}")
            time.sleep(pause_s)

    def _said(self) -> str:
        return " | ".join(line.text for line in self.edge.log[-10:])[-1000:]


@contextmanager
def running(engine: Engine, folder: Path, spec: str, handlers: Mapping[str, str]) -> Iterator[World]:
    """Compiles and applies `spec`, with these texts in place of the scaffolds of handler.ts."""
    (folder / "orchestra.yaml").write_text(spec, encoding="utf-8")
    functions = folder / "supabase" / "functions"
    run([*ORCHESTRA, "compile", str(folder / "orchestra.yaml"), "--out", str(functions.parent)])
    for name, text in handlers.items():
        (functions / name / "handler.ts").write_text(text, encoding="utf-8")
    for statement in ("create extension pg_net", "create extension supabase_vault cascade"):
        engine.execute(statement)
    run([*ORCHESTRA, "apply", str(folder / "orchestra.yaml"), "--db", engine.dsn, "--auto-approve"])
    env = {
        **database_env(engine.dsn),
        "SUPABASE_URL": "http://127.0.0.1:9",
        "SUPABASE_SECRET_KEYS": json.dumps({"default": _KEY}),
    }
    with ExitStack() as stack:
        world = World(stack.enter_context(psycopg.connect(engine.dsn, autocommit=True)))
        world.edge = stack.enter_context(EdgeServer(functions, env, wall_clock_s=400, on_log=world.note))
        for name, value in ((FUNCTION_URL, world.edge.url), (FUNCTION_KEY, _KEY)):
            engine.execute("select vault.create_secret(%s, %s)", [value, VAULT[name]])
        stop = threading.Event()
        worker = NetWorker(engine.dsn, stop)
        worker.start()
        stack.callback(worker.join)
        stack.callback(stop.set)
        yield world
