"""What handlers call in the outside world: one server that notes what it is asked and answers as a test wants."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Call:
    path: str
    body: Any
    headers: dict[str, str]


def embedding(text: str) -> list[float]:
    """64 numbers that are always the same for a text."""
    digest = hashlib.sha512(text.encode()).digest()
    return [b / 255 for b in digest]


@dataclass
class Services:
    """`answers` gives a path another answer: status and JSON body, from the call. `users` are tokens' subjects."""

    users: dict[str, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    answers: dict[str, Callable[[Call], tuple[int, Any]]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        services = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = json.loads(self.rfile.read(length) or b"null")
                call = Call(self.path, body, {k.lower(): v for k, v in self.headers.items()})
                services.calls.append(call)
                status, answer = services.answers.get(self.path, _usual)(call)
                self._answer(status, answer)

            def do_GET(self) -> None:
                """The auth server: who the bearer of a token is."""
                user = services.users.get(self.headers.get("authorization", "").removeprefix("Bearer "))
                known = user is not None and self.path == "/auth/v1/user"
                self._answer(*((200, {"id": user, "role": "authenticated"}) if known else (401, {})))

            def _answer(self, status: int, answer: Any) -> None:
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def to(self, path: str) -> list[Call]:
        return [call for call in list(self.calls) if call.path == path]


def _usual(call: Call) -> tuple[int, Any]:
    return (
        (200, {"embedding": embedding(call.body["input"])}) if call.path == "/embed" else (200, {"ok": True})
    )
