"""Everything at once: a spec applied to a real database, its functions compiled and served by Deno, cron and pg_net
running. What a test does from outside is what a user would do."""

from __future__ import annotations

import json
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines import Engine
from engines.waiting import eventually

from acceptance.cases import Case
from acceptance.cli import orchestra
from acceptance.live import apply
from acceptance.services import Services
from orchestra.dev.edge import EdgeServer, database_env
from orchestra.dev.net_worker import NetWorker
from orchestra.pipeline import PlanOptions

SECRET_KEY = "sb_secret_for_tests_only_0123456789"


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class World:
    engine: Engine
    edge: EdgeServer
    services: Services
    supabase: Path

    def post(self, function: str, body: Any, *, raw: bytes | None = None, **headers: str) -> Answer:
        """A request from outside; `raw` is sent as it is."""
        data = json.dumps(body).encode() if raw is None else raw
        request = urllib.request.Request(f"{self.edge.url}/{function}", data=data, method="POST")
        request.add_header("content-type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            answer = urllib.request.urlopen(request, timeout=20)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            return Answer(answer.status, _body(answer.read()), dict(answer.headers.items()))

    def one(self, query: str, *params: Any) -> Any:
        return self.engine.execute(query, params or None)[0][0]

    def becomes(self, query: str, *params: Any, within: float = 30) -> None:
        """Waits until the query answers true."""
        try:
            eventually(lambda: self.one(query, *params) is True, within=within, what=query)
        except AssertionError as error:
            lines = [f"{line.function}[{line.pid}] {line.text}" for line in self.edge.log[-60:]]
            raise AssertionError("\n".join([str(error), "the functions said:", *lines])) from None


def _body(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


@contextmanager
def running(
    case: Case,
    engine: Engine,
    folder: Path,
    secrets: Mapping[str, str] | None = None,
    planned: PlanOptions | None = None,
    **options: Any,
) -> Iterator[World]:
    """`secrets` are put into Vault, `planned` is what the first apply is told; `options` are the edge server's."""
    supabase = folder / "supabase"
    written = case.spec_file.parent / "supabase"
    if written.exists():
        shutil.copytree(written, supabase)
    done = orchestra("compile", case.spec_file, *case.beside, "--out", supabase)
    assert done.code == 0, done.text
    case.prepare(engine)
    apply(engine, case.spec, planned)
    with ExitStack() as stack:
        services = stack.enter_context(Services())
        env = {
            **database_env(engine.dsn),
            "SUPABASE_URL": services.url,
            "SUPABASE_SECRET_KEYS": json.dumps({"default": SECRET_KEY}),
            "CRM_URL": services.url,
            "MAIL_URL": services.url,
            "MODEL_URL": services.url,
        }
        edge = stack.enter_context(EdgeServer(supabase / "functions", env, **options))
        given = {"orchestra_function_url": edge.url, "orchestra_function_key": SECRET_KEY, **(secrets or {})}
        for name, value in given.items():
            engine.execute("select vault.create_secret(%s, %s)", [value, name])
        engine.fresh_launcher()
        stack.enter_context(engine.run_ticker())
        if not engine.is_embedded:
            stack.enter_context(net_worker(engine))
        yield World(engine, edge, services, supabase)


@contextmanager
def net_worker(engine: Engine) -> Iterator[None]:
    """What serves pg_net's queue where the ticker does not."""
    stop = threading.Event()
    worker = NetWorker(engine.dsn, stop)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()
