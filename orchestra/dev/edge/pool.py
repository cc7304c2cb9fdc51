"""The isolates of one function: which of them answers a request."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from orchestra.dev.edge.control import Control
from orchestra.dev.edge.deno import Launch, launch_fetch, launch_isolate
from orchestra.dev.edge.errors import BootError
from orchestra.dev.edge.isolate import Isolate
from orchestra.dev.edge.limits import Limits
from orchestra.dev.edge.log import Log, LogLine, collect
from orchestra.dev.edge.state import End, State

FETCH_S = 120.0  # for the packages that a function imports


class Pool:
    """One function. Its isolates are started when requests need them, and reused until they retire."""

    def __init__(
        self,
        folder: Path,
        *,
        deno: Path,
        env: Mapping[str, str],
        limits: Limits,
        spread: int,
        control: Control,
        log: Log,
    ) -> None:
        """`spread`: so many isolates share the requests, as the machines of a region do."""
        self.name = folder.name
        self.isolates: list[Isolate] = []
        self._folder = folder
        self._deno = deno
        self._env = env
        self._limits = limits
        self._spread = spread
        self._control = control
        self._log = log
        self._lives: set[asyncio.Task[None]] = set()
        self._fetched: asyncio.Task[None] | None = None
        self._stopping = False

    @asynccontextmanager
    async def isolate(self) -> AsyncIterator[Isolate]:
        """The isolate for one request, which counts as being answered while this is open.

        Raises BootError when it does not come up.
        """
        await self._fetch()
        if self._stopping:
            raise BootError("the server stops")
        chosen = self._choose()
        with chosen.request():
            await asyncio.shield(chosen.ready)
            yield chosen

    def _choose(self) -> Isolate:
        open_ = [each for each in self.isolates if each.state in (State.BOOTING, State.ACTIVE)]
        if len(open_) < self._spread:
            return self._start()
        chosen = min(open_, key=lambda each: each.requests)
        self.isolates.remove(chosen)
        self.isolates.append(chosen)  # among equals, the one whose last turn is longest ago
        return chosen

    def _start(self) -> Isolate:
        isolate = Isolate(self.name, self._limits, self._log)
        self.isolates.append(isolate)
        life = asyncio.create_task(self._see_through(isolate), name=f"isolate of {self.name}")
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)
        return isolate

    async def _see_through(self, isolate: Isolate) -> None:
        token = self._control.expect(isolate)
        launch = launch_isolate(
            self._deno, self._folder, self._env, self._limits, port=self._control.port, token=token
        )
        try:
            await isolate.live(launch, self._folder)
        except BaseException:
            isolate.kill(End.EXIT)  # a fault of ours must not leave it behind
            raise
        finally:
            self._control.forget(token)
            self.isolates.remove(isolate)
        if isolate.ended.result() is End.BOOT:
            self._fetched = None  # the function may have changed, and import something new

    async def _fetch(self) -> None:
        """Fetch the function's packages, once for all requests that come meanwhile."""
        if self._fetched is None:
            launch = launch_fetch(self._deno, self._folder)
            self._fetched = asyncio.create_task(self._run_to_end(launch))
        fetched = self._fetched
        try:
            await asyncio.shield(fetched)
        except BootError:
            if self._fetched is fetched:
                self._fetched = None
            raise

    async def _run_to_end(self, launch: Launch) -> None:
        said: list[str] = []

        def say(text: str) -> None:
            said.append(text)
            self._log.add(LogLine(self.name, None, "stderr", text))

        process = await asyncio.create_subprocess_exec(
            *launch.command,
            env=launch.env,
            cwd=self._folder,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(FETCH_S):
                await collect(process.stdout, say)
                code = await process.wait()
        except BaseException as fault:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if isinstance(fault, TimeoutError):
                raise BootError("its packages could not be fetched in time", said) from None
            raise
        if code != 0:
            raise BootError("its modules cannot be loaded", said)

    def renew(self, env: Mapping[str, str]) -> None:
        """The function or its environment has changed: the next request gets a new isolate."""
        self._env = env
        self._fetched = None
        for isolate in self.isolates:
            isolate.renew()

    async def stop(self) -> None:
        """End all isolates: those that have nothing to do at once, the others after their grace."""
        self._stopping = True
        if self._fetched is not None:
            self._fetched.cancel()
            await asyncio.gather(self._fetched, return_exceptions=True)
        for isolate in list(self.isolates):
            isolate.terminate()
        if self._lives:
            await asyncio.wait(self._lives, timeout=self._limits.grace_s)
        for isolate in list(self.isolates):
            isolate.kill(End.TERMINATION)
        if self._lives:
            await asyncio.wait(self._lives)
