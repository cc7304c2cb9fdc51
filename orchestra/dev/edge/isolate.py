"""One isolate: a Deno process from its start to its end."""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from orchestra.dev.edge.control import order
from orchestra.dev.edge.cpu import cpu_of
from orchestra.dev.edge.deno import Launch
from orchestra.dev.edge.errors import BootError
from orchestra.dev.edge.limits import CPU_PER_REQUEST_S, RETIRE_AT, UNLOAD_AT, Limits
from orchestra.dev.edge.log import Log, LogLine, Stream, collect
from orchestra.dev.edge.state import End, IsolateInfo, State

LAST_WORDS_S = 2.0  # for the pipes to run dry once the process has ended
ERROR_LINES = 50  # of the log, with a boot error


class Isolate:
    """Lives in the runner's loop. `ready` is set when it serves, or fails with BootError; `ended` when it is gone."""

    def __init__(self, name: str, limits: Limits, log: Log) -> None:
        self.name = name
        self.state = State.BOOTING
        self.port = 0  # where it serves
        self.requests = 0
        self._limits = limits
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._born = self._loop.time()
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.ended: asyncio.Future[End] = self._loop.create_future()
        self._end: End | None = None  # set when it is decided; the process may still be there
        self._leaving: End | None = None  # it was asked to end by itself
        self._process: Process | None = None
        self._line: asyncio.StreamWriter | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._said: deque[str] = deque(maxlen=ERROR_LINES)
        self._waiting = 0
        self._served = 0
        self._cpu_before = 0.0  # what booting took
        self._cpu_seen = 0.0

    # ---- from its start to its end

    async def live(self, launch: Launch, cwd: Path) -> None:
        """Start the process, and see it through to its end."""
        self._born = self._loop.time()
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *launch.command,
                env=launch.env,
                cwd=cwd,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                start_new_session=True,  # a Ctrl-C at the terminal is the server's business
            )
        except OSError as fault:
            self._finish(End.BOOT, f"its process does not start: {fault}")
            return
        self._set_timers()
        if self._end is not None:  # decided while the process was being made
            process.kill()
        assert process.stdout is not None
        assert process.stderr is not None
        pipes = asyncio.gather(
            collect(process.stdout, lambda text: self._say("stdout", text)),
            collect(process.stderr, lambda text: self._say("stderr", text)),
        )
        code = await process.wait()
        with suppress(TimeoutError):  # somebody else holds a pipe
            await asyncio.wait_for(pipes, LAST_WORDS_S)
        self._finish(self._end or self._judge(code), f"it ended with code {code} before it served")

    def _set_timers(self) -> None:
        wall = self._limits.wall_clock_s
        for seconds, act in (
            (wall * RETIRE_AT, self.retire),
            (wall * UNLOAD_AT, lambda: self._unload(End.WALL_CLOCK)),
            (wall, lambda: self.kill(End.WALL_CLOCK)),
            (self._limits.boot_s, self._give_up_boot),
        ):
            self._timers.append(self._loop.call_at(self._born + seconds, act))

    def _judge(self, code: int) -> End:
        """Why a process ended that the runner did not kill."""
        if not self.ready.done():
            return End.BOOT
        if code == 0 and self._leaving is not None:
            return self._leaving
        if code == -signal.SIGKILL:
            return End.KILLED
        if code < 0 and any("out of memory" in line for line in self._said):
            return End.MEMORY
        return End.EXIT

    def _finish(self, end: End, unready: str) -> None:
        for timer in self._timers:
            timer.cancel()
        self._say("runner", f"ended: {end}")
        self.state = State.ENDED
        if not self.ready.done():
            self.ready.set_exception(BootError(unready, tuple(self._said)))
            self.ready.exception()  # told; whoever waits is told too
        self.ended.set_result(end)

    def _give_up_boot(self) -> None:
        if not self.ready.done():
            self._say("runner", f"does not serve after {self._limits.boot_s:g} s")
            self.kill(End.BOOT)

    # ---- what it says

    def attached(self, line: asyncio.StreamWriter) -> None:
        self._line = line

    def heard(self, news: dict[str, Any]) -> None:
        match news:
            case {"waiting": int(count)}:
                self._waiting = count
            case {"listening": int(port)} if not self.ready.done():
                self.port = port
                self._cpu_before = self._cpu() or 0.0
                if self.state is State.BOOTING:
                    self.state = State.ACTIVE
                self._say("runner", f"serves after {self._age * 1000:.0f} ms")
                self.ready.set_result(None)
                self._leave_when_idle()

    def _say(self, stream: Stream, text: str) -> None:
        self._said.append(text)
        self._log.add(LogLine(self.name, self.pid, stream, text))

    # ---- what becomes of it

    @contextmanager
    def request(self) -> Iterator[None]:
        """While this is open it is answering one request more; from its choice on, so that it does not leave."""
        self.requests += 1
        self._served += 1
        try:
            yield
        finally:
            self.requests -= 1
            self._leave_when_idle()

    def retire(self) -> None:
        """No request from here on; it ends when nothing is going on any more."""
        if self.state in (State.BOOTING, State.ACTIVE):
            self.state = State.RETIRED
            self._say("runner", "retired")
            self._leave_when_idle()

    def _leave_when_idle(self) -> None:
        # Promises are its own business: it may know of one that we have not heard of yet.
        idle = self.ready.done() and self.requests == 0
        if self.state is State.RETIRED and idle and self._leaving is None:
            self._leaving = End.EARLY_DROP
            order(self._line, leave=End.EARLY_DROP)

    def terminate(self) -> None:
        """Tell it that the server stops; it ends at once when nothing is going on."""
        if self.ready.done():
            self.state, self._leaving = State.RETIRED, End.TERMINATION
            order(self._line, leave=End.TERMINATION)
        else:
            self.kill(End.TERMINATION)

    def renew(self) -> None:
        """Its code or environment is another by now: what it does is finished, and nothing more begins here. One that
        boots is asked when it serves; who waits for it gets another isolate then."""
        if self.ready.done():
            self.terminate()
        else:
            self.state = State.RETIRED
            self.ready.add_done_callback(lambda _: self.terminate() if self.port else None)

    def kill(self, end: End) -> None:
        """End it now, whatever it does."""
        if self._end is None:
            self._end = end
            if self.state is State.ACTIVE:
                self.state = State.RETIRED  # gone in a moment: not to be chosen any more
            if self._process is not None:
                with suppress(ProcessLookupError):  # it was quicker
                    self._process.kill()

    def _unload(self, reason: End) -> None:
        order(self._line, unload=reason)

    def look_at_cpu(self) -> None:
        """Act on what it has used since the last look."""
        used = self._cpu_used
        if used is None or not self.ready.done():
            return
        limit = self._limits.cpu_limit_s
        before, self._cpu_seen = self._cpu_seen, used
        if limit is None:
            allowed = CPU_PER_REQUEST_S * max(self._served, 1)
            if before <= allowed < used:
                given = f"the platform gives a request {CPU_PER_REQUEST_S:g} s"
                self._say("runner", f"used {used:.1f} s of CPU for {self._served} requests; {given}")
            return
        if before < limit * RETIRE_AT <= used:
            self.retire()
        if before < limit * UNLOAD_AT <= used:
            self._unload(End.CPU)
        if used >= limit:
            self.kill(End.CPU)

    # ---- what is known of it

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def _age(self) -> float:
        return self._loop.time() - self._born

    def _cpu(self) -> float | None:
        return cpu_of(self.pid) if self.pid is not None else None

    @property
    def _cpu_used(self) -> float | None:
        used = self._cpu()
        return max(used - self._cpu_before, 0.0) if used is not None else None

    def info(self) -> IsolateInfo | None:
        """None while there is no process, and once there is none any more."""
        if self.pid is None or self.state is State.ENDED:
            return None
        return IsolateInfo(
            self.pid, self.name, self.state, self._age, self.requests, self._waiting, self._cpu_used
        )
