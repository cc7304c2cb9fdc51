"""One request and its answer, through an isolate."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from orchestra.dev.edge import answers
from orchestra.dev.edge.answers import Answer
from orchestra.dev.edge.errors import BootError
from orchestra.dev.edge.isolate import Isolate
from orchestra.dev.edge.pool import Pool
from orchestra.dev.edge.state import End
from orchestra.dev.edge.wire import (
    Broken,
    Framing,
    Head,
    Malformed,
    Wire,
    frame,
    framing,
    last_frame,
    read_body,
    read_head,
    write_head,
)

PREFIX = "/functions/v1/"
DRAIN_S = 10.0  # for the rest of a request that was answered before its end
REAP_S = 5.0  # for an isolate to be gone, once its connections are
TRIES = 3  # isolates for one request: the chosen one may end between its choice and the call

_REQUEST_LINE = re.compile(r"([A-Z]+) (?:https?://[^/\s]+)?(/\S*) HTTP/1\.([01])", re.ASCII)
_STATUS_LINE = re.compile(r"HTTP/1\.[01] ([1-9][0-9][0-9])(?: .*)?", re.ASCII)
_FUNCTION = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)(?:[/?].*)?", re.ASCII)  # what a slug may be

Find = Callable[[str], Pool | None]


class Exchange:
    """Carries the request's body up while the answer comes down: neither waits for the other."""

    def __init__(self, client: Wire, head: Head) -> None:
        """Raises Malformed for what is no request."""
        matched = _REQUEST_LINE.fullmatch(head.first)
        if matched is None:
            raise Malformed(f"no request: {head.first[:100]!r}")
        self._method, self._target, minor = matched.groups()
        self._client = client
        self._head = head
        self._body = framing(head, default=Framing(0))
        self._chunks = minor == "1"  # the client understands them
        self._keep = self._chunks and "close" not in head.get("connection")
        self._upstream: Wire | None = None
        self._upload: asyncio.Task[None] | None = None

    async def carry_out(self, find: Find, idle_s: float) -> bool:
        """Answer it; true when the connection may bring another one.

        Raises Broken or OSError when one side has gone and no answer can be given.
        """
        if "100-continue" in self._head.get("expect") and not self._body.is_empty:
            await self._client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            await self._answer(find, idle_s)
            try:
                await asyncio.wait_for(self._upload or self._carry_up(None), DRAIN_S)
            except TimeoutError:
                return False
            return self._keep
        finally:
            if self._upload is not None:
                self._upload.cancel()
                await asyncio.gather(self._upload, return_exceptions=True)
            if self._upstream is not None:
                self._upstream.close()

    async def _answer(self, find: Find, idle_s: float) -> None:
        named = _FUNCTION.fullmatch(self._target.removeprefix(PREFIX))
        pool = find(named[1]) if named is not None and self._target.startswith(PREFIX) else None
        if pool is None:
            return await self._say(answers.NOT_FOUND)
        for _ in range(TRIES):
            try:
                async with pool.isolate() as isolate:
                    try:
                        self._upstream = await Wire.connect(isolate.port)
                    except OSError:
                        await _reaped(isolate)
                        continue
                    self._upload = asyncio.create_task(self._carry_up(self._upstream))
                    return await self._relay(isolate, self._upstream, idle_s)
            except BootError as fault:
                return await self._say(answers.boot_error(fault))
        return await self._say(answers.ended(End.EXIT))

    async def _carry_up(self, upstream: Wire | None) -> None:
        """Read the whole request, and hand it on as long as somebody takes it. Raises Broken if it is cut short."""
        first = f"{self._method} /{self._target.removeprefix(PREFIX)} HTTP/1.1"
        fields = [*self._head.passed_on(), *self._body.fields(), ("Connection", "close")]
        taker = await _offer(upstream, write_head(first, fields))
        try:
            async for piece in read_body(self._client, self._body):
                taker = await _offer(taker, frame(piece, self._body))
        except (Broken, Malformed) as fault:
            if upstream is not None:
                upstream.hang_up()  # half a request gets no answer; this wakes who waits for it
            raise Broken from fault
        await _offer(taker, last_frame(self._body))

    async def _relay(self, isolate: Isolate, upstream: Wire, idle_s: float) -> None:
        try:
            head = await asyncio.wait_for(_answer_head(upstream), idle_s)
        except TimeoutError:
            return await self._say(answers.IDLE_TIMEOUT)
        if head is not None:
            return await self._carry_down(upstream, head)
        if self._upload is not None and self._upload.done():
            self._upload.result()  # raises when it was the client who broke off
        return await self._say(answers.ended(await _reaped(isolate)))

    async def _carry_down(self, upstream: Wire, head: Head) -> None:
        bodyless = self._method == "HEAD" or _status(head) in (204, 304)
        down = Framing(0) if bodyless else framing(head, default=Framing(None))
        out = down if down.length is not None else Framing(None, chunked=self._chunks)
        self._keep = self._keep and not out.until_close
        fields = head.passed_on()
        if not bodyless:
            fields += out.fields()
        elif length := head.get("content-length"):
            fields.append(("Content-Length", length))
        await self._client.write(write_head(head.first, [*fields, self._connection()]))
        async for piece in read_body(upstream, down):
            await self._client.write(frame(piece, out))
        await self._client.write(last_frame(out))

    async def _say(self, answer: Answer) -> None:
        body = b"" if self._method == "HEAD" else answer.body
        await self._client.write(answer.head([self._connection()]) + body)

    def _connection(self) -> tuple[str, str]:
        return "Connection", "keep-alive" if self._keep else "close"


async def _offer(taker: Wire | None, data: bytes) -> Wire | None:
    """Write it; None when nobody takes it any more, which is no fault: the answer may have come early."""
    if taker is not None and data:
        try:
            await taker.write(data)
        except OSError:
            return None
    return taker


async def _answer_head(upstream: Wire) -> Head | None:
    """The head of the answer itself; None when none comes that could be understood."""
    try:
        while (head := await read_head(upstream)) and 100 <= _status(head) < 200:
            pass
    except (Broken, Malformed):
        return None
    return head


def _status(head: Head) -> int:
    matched = _STATUS_LINE.fullmatch(head.first)
    if matched is None:
        raise Malformed(f"no answer: {head.first[:100]!r}")
    return int(matched[1])


async def _reaped(isolate: Isolate) -> End:
    """Why an isolate that answers no more has ended."""
    try:
        return await asyncio.wait_for(asyncio.shield(isolate.ended), REAP_S)
    except TimeoutError:
        return End.EXIT  # it is there, and does not answer as it should
