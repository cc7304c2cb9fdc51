"""What both have in common: a thread that serves, a list of what was asked, faults to come, and pages."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Fault:
    """Answers the next request of this method, to a path with this end, in the place of the API. `status` 0 closes the
    connection without a word; with `done`, what was asked is carried out all the same."""

    method: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "trouble"
    done: bool = False
    path: str = ""

    def meets(self, asked: Asked) -> bool:
        return asked.method == self.method and asked.path.endswith(self.path)


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class CodeHost:
    """`with FakeGitHub() as host:`; `host.url` is its API."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self._ids = 1_000
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Reply:
        raise NotImplementedError

    def next_id(self) -> int:
        self._ids += 1
        return self._ids

    def page(self, items: list[Any], asked: Asked) -> Reply:
        """As the APIs page: 30 where nothing is said, 100 at most, and a Link to the next where there is one."""
        size = min(int(asked.query.get("per_page", 30)), 100)
        number = int(asked.query.get("page", 1))
        rest = items[(number - 1) * size :]
        links = (
            [f'<{self.url}{asked.path}?per_page={size}&page={number - 1}>; rel="prev"'] if number > 1 else []
        )
        if len(rest) > size:
            links.append(f'<{self.url}{asked.path}?per_page={size}&page={number + 1}>; rel="next"')
        return Reply(200, rest[:size], {"Link": ", ".join(links)} if links else {})

    def methods(self) -> list[str]:
        return [a.method for a in self.asked]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                host._serve(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_one

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            parts = urlsplit(handler.path)
            length = int(handler.headers.get("Content-Length") or 0)
            content = handler.rfile.read(length)
            asked = Asked(
                handler.command,
                parts.path,
                {name: values[-1] for name, values in parse_qs(parts.query).items()},
                {name.lower(): value for name, value in handler.headers.items()},
                json.loads(content) if content else None,
            )
            self.asked.append(asked)
            fault = next((f for f in self.faults if f.meets(asked)), None)
            if fault is None:
                _send(handler, self.answer(asked))
                return
            self.faults.remove(fault)
            if fault.done:
                self.answer(asked)
            if fault.status:
                _send(handler, Reply(fault.status, {"message": fault.message}, fault.headers))
            else:
                handler.close_connection = True


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    content = b"" if reply.body is None else json.dumps(reply.body).encode()
    handler.send_response(reply.status)
    for name, value in {"Content-Type": "application/json", **reply.headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
