"""The HTTP server before the functions: connections, and the requests that come through each."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from orchestra.dev.edge import answers
from orchestra.dev.edge.exchange import Exchange, Find
from orchestra.dev.edge.wire import Broken, Malformed, Wire, read_head

BACKLOG = 1024  # connections that wait to be accepted


def listen(port: int) -> socket.socket:
    """A socket on loopback; port 0 is one that the system chooses. Raises OSError when it is taken."""
    return socket.create_server(("127.0.0.1", port), backlog=BACKLOG)


class Gateway:
    def __init__(self, find: Find, *, idle_s: float) -> None:
        """`find` gives the pool of a function's name; `idle_s` is how long the head of an answer may take."""
        self._find = find
        self._idle_s = idle_s
        self._talks: set[asyncio.Task[None]] = set()

    async def serve(self, listener: socket.socket) -> None:
        """Take connections until it is cancelled; what they brought goes on until `hang_up`."""
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(listener)
            except OSError:
                await asyncio.sleep(0.1)  # out of file descriptors, most likely
                continue
            talk = asyncio.create_task(self._talk(Wire(sock)))
            self._talks.add(talk)
            talk.add_done_callback(self._talks.discard)

    async def hang_up(self) -> None:
        """End all connections."""
        talks = list(self._talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def _talk(self, client: Wire) -> None:
        """One connection, with any number of requests."""
        try:
            with suppress(Broken, OSError):
                try:
                    while head := await read_head(client):
                        if not await Exchange(client, head).carry_out(self._find, self._idle_s):
                            break
                except Malformed as fault:
                    answer = answers.malformed(str(fault))
                    await client.write(answer.head([("Connection", "close")]) + answer.body)
        finally:
            client.close()
