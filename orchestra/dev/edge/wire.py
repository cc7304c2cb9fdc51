"""HTTP/1.1 as it is on the wire: heads, bodies and their framing.

On plain sockets rather than asyncio's streams, which lose what a peer has said when writing to it fails: an
answer that comes before the request's body has gone through (413, say) must not be lost.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

HEAD_BYTES = 65536
PIECE_BYTES = 65536
LINE_BYTES = 4096  # of a chunk's size, or a trailer
LENGTH_DIGITS = 18  # of a body; more is nobody's body

# What concerns one connection, and not the message (RFC 9110, 7.6.1); framing is written anew.
HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
        *("content-length", "expect"),
    }
)


class Malformed(Exception):
    """What came is no HTTP."""


class Broken(Exception):
    """The connection ended in the middle of a message."""


class Wire:
    """One connection. Reading and writing do not know of each other."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()

    @classmethod
    async def connect(cls, port: int) -> Self:
        """To a port of this machine. Raises OSError when nobody listens there."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    async def _more(self) -> bool:
        """Read into the buffer; false at the end, however it came."""
        try:
            piece = await self._loop.sock_recv(self._sock, PIECE_BYTES)
        except OSError:
            return False
        self._buffer += piece
        return bool(piece)

    async def until(self, mark: bytes, most: int) -> bytes | None:
        """All up to and with the mark; None when the connection ends before anything came."""
        while (at := self._buffer.find(mark)) < 0:
            if len(self._buffer) > most:
                raise Malformed(f"more than {most} bytes without an end")
            if not await self._more():
                if self._buffer:
                    raise Broken
                return None
        return self._take(at + len(mark))

    async def piece(self, most: int = PIECE_BYTES) -> bytes:
        """What is there, at most so much; b"" at the end."""
        if not self._buffer:
            await self._more()
        return self._take(min(most, len(self._buffer)))

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def write(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._sock, data)

    def hang_up(self) -> None:
        """End the connection; who is reading or writing here is woken. `close` has to follow."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._sock.close()


@dataclass(frozen=True)
class Head:
    """The first line of a message, and its fields as they came."""

    first: str
    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """All values of a field, in lower case and joined; "" when it is not there."""
        return ", ".join(value for key, value in self.fields if key.lower() == name).lower()

    def passed_on(self) -> list[tuple[str, str]]:
        """The fields that belong to the message, not to its connection."""
        named = {name.strip() for name in self.get("connection").split(",")}
        return [(k, v) for k, v in self.fields if k.lower() not in HOP_BY_HOP and k.lower() not in named]


async def read_head(wire: Wire) -> Head | None:
    """The head of the next message; None when the connection ends instead."""
    text = await wire.until(b"\r\n\r\n", HEAD_BYTES)
    if text is None:
        return None
    first, *lines = text.decode("latin-1")[:-4].lstrip("\r\n").split("\r\n")
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Malformed(f"no header field: {line[:100]!r}")
        fields.append((name, value.strip()))
    return Head(first, tuple(fields))


def write_head(first: str, fields: list[tuple[str, str]]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(frozen=True)
class Framing:
    """How the end of a body is told."""

    length: int | None = 0
    chunked: bool = False

    @property
    def until_close(self) -> bool:
        return self.length is None and not self.chunked

    @property
    def is_empty(self) -> bool:
        return self.length == 0 and not self.chunked

    def fields(self) -> list[tuple[str, str]]:
        if self.chunked:
            return [("Transfer-Encoding", "chunked")]
        return [("Content-Length", str(self.length))] if self.length is not None else []


def framing(head: Head, *, default: Framing) -> Framing:
    """The framing that a head declares. Raises Malformed for what two readers could read differently."""
    if coding := head.get("transfer-encoding"):
        if coding != "chunked":
            raise Malformed(f"transfer-encoding {coding}")
        return Framing(None, chunked=True)
    if length := head.get("content-length"):
        if not (length.isascii() and length.isdigit() and len(length) <= LENGTH_DIGITS):
            raise Malformed(f"content-length {length[:40]}")
        return Framing(int(length))
    return default


async def read_body(wire: Wire, framing: Framing) -> AsyncIterator[bytes]:
    """The body in pieces, without its framing. Raises Broken when it is cut short."""
    if framing.chunked:
        while size := await _chunk_size(wire):
            async for piece in _exactly(wire, size):
                yield piece
            if await wire.until(b"\r\n", LINE_BYTES) != b"\r\n":
                raise Malformed("a chunk longer than it says")
        while await wire.until(b"\r\n", LINE_BYTES) not in (b"\r\n", None):
            pass  # trailers
    elif framing.length is None:
        while piece := await wire.piece():
            yield piece
    else:
        async for piece in _exactly(wire, framing.length):
            yield piece


async def _chunk_size(wire: Wire) -> int:
    line = await wire.until(b"\r\n", LINE_BYTES)
    if line is None:
        raise Broken
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > LENGTH_DIGITS or digits.strip(b"0123456789abcdefABCDEF"):
        raise Malformed("no size of a chunk")
    return int(digits, 16)


async def _exactly(wire: Wire, count: int) -> AsyncIterator[bytes]:
    while count > 0:
        piece = await wire.piece(min(count, PIECE_BYTES))
        if not piece:
            raise Broken
        count -= len(piece)
        yield piece


def frame(piece: bytes, framing: Framing) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece) if framing.chunked else piece


def last_frame(framing: Framing) -> bytes:
    return b"0\r\n\r\n" if framing.chunked else b""
