"""Sends what pg_net's stand-in has queued, with pg_net's habits.

A batch is one transaction: the requests leave the queue when all of their answers are stored, so one slow
call holds up every other. After a batch it rests for a second. Nothing is retried. Answers are kept for six
hours.
"""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

VERSION = "0.20.0"
BATCH = 200  # requests; pg_net.batch_size
AT_ONCE = 50  # calls; pg_net makes all of a batch at once
REST = 1.0  # seconds after a batch
LOOK = 0.1  # seconds between looks at an empty queue; pg_net is woken at commit instead
RECONNECT = 0.5  # seconds

_THERE = "select to_regclass('net.http_request_queue') is not null"
_TAKE = """
    with batch as (select id from net.http_request_queue order by id limit %s)
    delete from net.http_request_queue q using batch where q.id = batch.id
    returning q.id, q.method, q.url, q.headers, q.body, q.timeout_milliseconds
"""
_STORE = """
    insert into net._http_response (id, status_code, content, headers, content_type, timed_out, error_msg)
    values (%s, %s, %s, %s, %s, %s, %s)
"""
_EXPIRE = "delete from net._http_response where created < now() - interval '6 hours'"


@dataclass(frozen=True)
class Request:
    """A row of net.http_request_queue."""

    id: int
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    timeout_ms: int


@dataclass(frozen=True)
class Response:
    """A row of net._http_response; `error` is set where no answer came."""

    id: int
    status: int | None = None
    content: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = None
    timed_out: bool = False
    error: str | None = None


class NetWorker:
    """A thread that serves the queue of one database until the event is set."""

    def __init__(self, dsn: str, stop: threading.Event) -> None:
        self._dsn = dsn
        self._stop = stop
        self._there = False
        self._thread = threading.Thread(target=self._serve, name="net worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait for its end; at most as long as the slowest call of the batch may take."""
        self._thread.join()

    def _serve(self) -> None:
        name = f"pg_net {VERSION}"
        while not self._stop.is_set():
            try:
                with psycopg.connect(self._dsn, autocommit=True, application_name=name) as connection:
                    while not self._stop.is_set():
                        self._stop.wait(REST if self._batch(connection) else LOOK)
            except psycopg.OperationalError:
                self._stop.wait(RECONNECT)  # the server is restarting, or a reset ended our session

    def _batch(self, connection: psycopg.Connection[Any]) -> bool:
        """Serve one batch; false when there was nothing to do."""
        try:
            # Not asked for what is not there, or the server's log would hold little else.
            self._there = self._there or connection.execute(_THERE).fetchone() == (True,)
            if not self._there:
                return False
            if connection.execute("select 1 from net.http_request_queue limit 1").fetchone() is None:
                return False
            with connection.transaction():
                connection.execute(_EXPIRE)
                rows = connection.execute(_TAKE, [BATCH]).fetchall()
                requests = sorted((_request(row) for row in rows), key=lambda request: request.id)
                with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
                    for response in pool.map(send, requests):
                        _store(connection, response)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            self._there = False  # the extension was dropped
            return False
        return True


def _request(row: tuple[Any, ...]) -> Request:
    number, method, url, headers, body, timeout_ms = row
    return Request(number, method.upper(), url, headers or {}, body, timeout_ms)


def _store(connection: psycopg.Connection[Any], response: Response) -> None:
    headers = Jsonb(response.headers) if response.error is None else None
    values = [response.id, response.status, response.content, headers, response.content_type]
    connection.execute(_STORE, [*values, response.timed_out, response.error])


def send(request: Request) -> Response:
    """Make the call. An answer with any status is an answer; a fault is told in curl's words."""
    began = time.monotonic()
    call = urllib.request.Request(request.url, data=request.body, method=request.method)
    for name, value in {**request.headers, "User-Agent": f"pg_net/{VERSION}"}.items():
        call.add_header(name, str(value))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(call, timeout=max(request.timeout_ms, 1) / 1000) as answer:
            return _answered(request, answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as answer:
        with answer:
            return _answered(request, answer.code, answer.headers, answer.read())
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "reason", fault)
        if isinstance(reason, TimeoutError):
            spent = (time.monotonic() - began) * 1000
            message = f"Timeout of {request.timeout_ms} ms reached. Total time: {spent:.6f} ms"
            return Response(request.id, timed_out=True, error=message)
        return Response(request.id, error=_curl_words(reason))


def _answered(request: Request, status: int, headers: Message, body: bytes) -> Response:
    return Response(
        request.id,
        status,
        body.decode(errors="replace") or None,
        dict(headers.items()),
        headers.get("content-type"),
    )


def _curl_words(reason: object) -> str:
    if isinstance(reason, ConnectionError):
        return "Couldn't connect to server"
    if isinstance(reason, OSError) and type(reason).__name__ == "gaierror":
        return "Couldn't resolve host name"
    return str(reason)
