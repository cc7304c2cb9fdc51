"""Runs a folder of Edge Functions on this machine, as Supabase's edge runtime does with policy `per_worker`.

    with EdgeServer(Path("supabase/functions"), {"SUPABASE_URL": …}) as server:
        urlopen(f"{server.url}/hello")

All of it lives in one thread with a loop of its own, and in the processes of the isolates.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from orchestra.dev.edge.deno import find_deno
from orchestra.dev.edge.errors import EdgeError
from orchestra.dev.edge.gateway import listen
from orchestra.dev.edge.limits import Limits
from orchestra.dev.edge.log import Log, LogLine
from orchestra.dev.edge.runner import Runner
from orchestra.dev.edge.state import IsolateInfo

T = TypeVar("T")


class EdgeServer:
    """A context manager, for one use. While it is open, any thread may call it."""

    def __init__(
        self,
        functions: Path,
        env: Mapping[str, str],
        *,
        wall_clock_s: float = 150.0,
        port: int = 0,
        deno: Path | str | None = None,
        request_idle_s: float = 150.0,
        cpu_limit_s: float | None = None,
        memory_mb: int | None = 256,
        grace_s: float = 1.0,
        spread: int = 1,
        on_log: Callable[[LogLine], None] | None = None,
        log_file: Path | None = None,
    ) -> None:
        """Every folder of `functions` is a function; `env` is all that their code sees of the environment, but for
        SUPABASE_URL, which is this server's where it does not say otherwise.

        `spread`: so many isolates share the requests of a function. `cpu_limit_s`: of an isolate; None enforces
        nothing. `grace_s`: between `termination` and the end, for isolates in which work is going on when the
        server stops. `on_log` is called in the server's thread.
        """
        self._functions = functions.absolute()
        self._env = dict(env)
        self._limits = Limits(
            wall_clock_s=wall_clock_s,
            request_idle_s=request_idle_s,
            cpu_limit_s=cpu_limit_s,
            memory_mb=memory_mb,
            grace_s=grace_s,
        )
        self._wanted_port = port
        self._wanted_deno = deno
        self._spread = spread
        self._log = Log(on_log, log_file)
        self._started = threading.Event()
        self._fault: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # only while requests are served
        self._runner: Runner | None = None
        self.port = 0

    # ---- from start to end

    def __enter__(self) -> Self:
        """Start to listen; a function boots with its first request.

        Raises EdgeError where there is no Deno, or the port is taken.
        """
        deno = find_deno(self._wanted_deno)
        try:
            listener = listen(self._wanted_port)
        except OSError as fault:
            where = f"port {self._wanted_port} of this machine"
            raise EdgeError(
                f"the functions cannot be served on {where}: {fault}", "choose another"
            ) from fault
        self.port = listener.getsockname()[1]
        # The kernel ends isolates with the thread that started them, so this one has to outlive them.
        self._thread = threading.Thread(
            target=self._run, args=(deno, listener), name="edge functions", daemon=True
        )
        self._thread.start()
        self._started.wait()
        if self._fault is not None:
            raise EdgeError(f"the functions cannot be served: {self._fault}") from self._fault
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take no more requests, and end all isolates: idle ones at once, the others after their grace."""
        loop, runner, self._loop = self._loop, self._runner, None
        if loop is not None and runner is not None:
            loop.call_soon_threadsafe(runner.stop)
        self._thread.join()
        self._log.close()

    def _run(self, deno: Path, listener: socket.socket) -> None:
        try:
            with listener:
                asyncio.run(self._serve(deno, listener))
        except BaseException as fault:
            self._fault = fault
            raise
        finally:
            self._loop = None
            self._started.set()

    async def _serve(self, deno: Path, listener: socket.socket) -> None:
        self._runner = Runner(
            self._functions,
            self._with_url(self._env),
            deno=deno,
            limits=self._limits,
            spread=self._spread,
            log=self._log,
        )
        self._loop = asyncio.get_running_loop()
        await self._runner.serve(listener, self._started.set)

    def _with_url(self, env: Mapping[str, str]) -> dict[str, str]:
        return {"SUPABASE_URL": f"http://127.0.0.1:{self.port}", **env}

    # ---- what may be asked of it

    def renew(self, names: frozenset[str] | None = None, env: Mapping[str, str] | None = None) -> None:
        """The code of these functions, or of all, is another by now, or `env` is: isolates finish what they do and
        take no more, and the next request gets a new one."""
        given = None if env is None else self._with_url(env)
        self._ask(lambda runner: runner.renew(names, given), None)

    @property
    def url(self) -> str:
        """The base of all functions, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}/functions/v1"

    @property
    def log(self) -> list[LogLine]:
        """What functions and runner have said so far; also after the end."""
        return self._log.lines()

    def isolates(self, name: str | None = None) -> list[IsolateInfo]:
        """The isolates that have a process now: of one function, or of all."""
        return self._ask(lambda runner: runner.isolates(name), [])

    def kill(self, pid: int) -> bool:
        """SIGKILL an isolate and wait until it is gone; false when it was gone already."""
        return self._ask(lambda runner: runner.kill(pid), False)

    def _ask(self, question: Callable[[Runner], Coroutine[Any, Any, T]], closed: T) -> T:
        loop, runner = self._loop, self._runner
        if loop is None or runner is None:
            return closed
        return asyncio.run_coroutine_threadsafe(question(runner), loop).result()
