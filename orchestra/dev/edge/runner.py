"""What goes on in the server's thread: the gateway, the functions' pools, and the line to their isolates."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestra.dev.edge.control import Control
from orchestra.dev.edge.gateway import Gateway
from orchestra.dev.edge.limits import CPU_LOOK_S, Limits
from orchestra.dev.edge.log import Log
from orchestra.dev.edge.pool import Pool
from orchestra.dev.edge.state import End, IsolateInfo


class Runner:
    """Lives in one loop."""

    def __init__(
        self,
        functions: Path,
        env: Mapping[str, str],
        *,
        deno: Path,
        limits: Limits,
        spread: int,
        log: Log,
    ) -> None:
        self._functions = functions
        self._env = dict(env)
        self._deno = deno
        self._limits = limits
        self._spread = spread
        self._log = log
        self._control = Control()
        self._pools: dict[str, Pool] = {}
        self._stop = asyncio.Event()

    async def serve(self, listener: socket.socket, started: Callable[[], None]) -> None:
        """Until `stop`; all isolates have ended then."""
        gateway = Gateway(self._find, idle_s=self._limits.request_idle_s)
        async with self._control:
            work = [
                asyncio.create_task(gateway.serve(listener)),
                asyncio.create_task(self._watch_cpu()),
            ]
            started()
            await self._stop.wait()
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
            await gateway.hang_up()

    def stop(self) -> None:
        self._stop.set()

    def _find(self, name: str) -> Pool | None:
        """Looked up at each request, so that a new folder is served at once."""
        folder = self._functions / name
        if not folder.is_dir():
            return None
        if name not in self._pools:
            self._pools[name] = Pool(
                folder,
                deno=self._deno,
                env=self._env,
                limits=self._limits,
                spread=self._spread,
                control=self._control,
                log=self._log,
            )
        return self._pools[name]

    async def _watch_cpu(self) -> None:
        while True:
            await asyncio.sleep(CPU_LOOK_S)
            for pool in self._pools.values():
                for isolate in pool.isolates:
                    isolate.look_at_cpu()

    async def renew(self, names: frozenset[str] | None, env: Mapping[str, str] | None) -> None:
        """See `EdgeServer.renew`."""
        if env is not None:
            self._env = dict(env)
        for pool in self._pools.values():
            if names is None or pool.name in names:
                pool.renew(self._env)

    async def isolates(self, name: str | None) -> list[IsolateInfo]:
        infos = [
            each.info()
            for pool in self._pools.values()
            if name in (None, pool.name)
            for each in pool.isolates
        ]
        return [info for info in infos if info is not None]

    async def kill(self, pid: int) -> bool:
        """End an isolate by SIGKILL and wait until it is gone; false when there is none with this pid."""
        for pool in self._pools.values():
            for isolate in pool.isolates:
                if isolate.pid == pid:
                    isolate.kill(End.KILLED)
                    await asyncio.shield(isolate.ended)
                    return True
        return False
