"""The line between the runner and each isolate: JSON lines over loopback, opened by prelude.ts.

isolate → runner   {"token": …} first, then {"listening": port}, {"waiting": promises}
runner → isolate   {"unload": reason}   dispatch beforeunload
                   {"leave": reason}    end as soon as nothing is going on, and tell the function
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any, Protocol, Self

HELLO_S = 10.0  # to say who is calling


class Party(Protocol):
    """An isolate, as seen from its end of the line."""

    def attached(self, line: asyncio.StreamWriter) -> None: ...

    def heard(self, news: dict[str, Any]) -> None: ...


class Control:
    """The socket that isolates call; each knows a token of its own."""

    def __init__(self) -> None:
        self._parties: dict[str, Party] = {}
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    def expect(self, party: Party) -> str:
        """The token with which this isolate is going to call."""
        token = secrets.token_urlsafe(16)
        self._parties[token] = party
        return token

    def forget(self, token: str) -> None:
        self._parties.pop(token, None)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            hello = json.loads(await asyncio.wait_for(reader.readline(), HELLO_S))
            party = self._parties[hello["token"]]
            party.attached(writer)
            while line := await reader.readline():
                party.heard(json.loads(line))
        except (OSError, ValueError, LookupError, TypeError, TimeoutError):
            pass  # no isolate of ours, or one that was killed in the middle of a line
        finally:
            writer.close()


def order(line: asyncio.StreamWriter | None, **words: str) -> None:
    """Say it to an isolate; one that is gone, or not there yet, is told nothing."""
    if line is not None and not line.is_closing():
        line.write(json.dumps(words).encode() + b"\n")
