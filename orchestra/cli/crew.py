"""Processes that do the work of a fleet, one database each at a time.

Processes and not threads: what one apply does on Ctrl-C, it does here too, a crash takes one database with it and no
other, and planning uses all cores. They live in a process group of their own, so that a Ctrl-C of the terminal reaches
each of them once: through this one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any, Final, Generic, Protocol, TypeVar

J = TypeVar("J")
A = TypeVar("A")
METHOD: Final = "fork" if sys.platform == "linux" else "spawn"
"""How workers come about: quickly where that is safe, else as new processes that read everything anew."""
J_in = TypeVar("J_in", contravariant=True)
A_out = TypeVar("A_out", covariant=True)


class Gate:
    """Ctrl-C in a worker: it interrupts the work, and never what comes before or after."""

    def __init__(self) -> None:
        self.hit = False
        self.open = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.hit = True
        if self.open:
            self.open = False  # once: what it does about the first must not be cut short by a second
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """KeyboardInterrupt comes out of this block and out of nothing else."""
        try:
            self.open = True
            if self.hit:
                raise KeyboardInterrupt
            yield
        finally:
            self.open = False


class Work(Protocol[J_in, A_out]):
    """What a worker does. It must be a plain function or a picklable object, and it never raises."""

    def __call__(self, job: J_in, gate: Gate) -> A_out: ...


class Crew(Generic[J, A]):
    """At most `size` workers. `lost` gives the answer for a worker that died over a job."""

    def __init__(
        self, work: Work[J, A], lost: Callable[[J, int | None], A], size: int, method: str = METHOD
    ) -> None:
        self._context: Any = get_context(method)
        self._work = work
        self._lost = lost
        self._size = size
        self._idle: list[tuple[Any, Connection]] = []
        self._busy: dict[Connection, tuple[Any, J]] = {}
        self._signals = 0
        self._passed_on = 0

    def __enter__(self) -> Crew[J, A]:
        self._woken, self._waking = os.pipe()
        os.set_blocking(self._waking, False)
        self._before: Any = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, self._note)
        self._wakeup = signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        """Workers end when there is nobody left to give them work."""
        signal.set_wakeup_fd(self._wakeup)
        signal.signal(signal.SIGINT, self._before)
        for process, _job in self._busy.values():
            process.terminate()
        for pipe in self._pipes():
            pipe.close()
        for process in [p for p, _ in self._idle] + [p for p, _ in self._busy.values()]:
            process.join()
        os.close(self._woken)
        os.close(self._waking)

    @property
    def interrupted(self) -> bool:
        return self._signals > 0

    def begin(self, job: J) -> None:
        """The job must be able to begin: no more than `size` may run."""
        process, pipe = self._idle.pop() if self._idle else self._hired()
        self._busy[pipe] = (process, job)
        with contextlib.suppress(OSError):  # it died while it was idle, which `wait` will see
            pipe.send(job)

    def wait(self) -> list[tuple[J, A]]:
        """The jobs that have ended, with their answers. Nothing where a Ctrl-C came in between."""
        if self._signals > self._passed_on:
            self._pass_on()
        ready = connection.wait([*self._busy, self._woken])
        if self._woken in ready:
            os.read(self._woken, 4096)
        return [self._ended(pipe) for pipe in list(self._busy) if pipe in ready]

    def _ended(self, pipe: Connection) -> tuple[J, A]:
        process, job = self._busy.pop(pipe)
        try:
            answer = pipe.recv()
        except (EOFError, OSError):
            pipe.close()
            process.join()
            return job, self._lost(job, process.exitcode)
        self._idle.append((process, pipe))
        return job, answer

    def _hired(self) -> tuple[Any, Connection]:
        ours, theirs = self._context.Pipe()
        # A worker must not keep the others' pipes open, or none of them would ever see the end.
        inherited = [*self._pipes(), ours] if self._context.get_start_method() == "fork" else []
        sys.stdout.flush()
        sys.stderr.flush()
        process = self._context.Process(target=_serve, args=(self._work, theirs, inherited), daemon=True)
        process.start()
        theirs.close()
        return process, ours

    def _pipes(self) -> list[Connection]:
        return [pipe for _, pipe in self._idle] + list(self._busy)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _pass_on(self) -> None:
        """The first Ctrl-C lets the workers roll back; a further one ends them, and the server rolls back."""
        last = self._signals > 1
        self._passed_on = self._signals
        for process, _job in self._busy.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM if last else signal.SIGINT)


def _serve(work: Work[Any, Any], pipe: Connection, inherited: list[Connection]) -> None:
    """The whole life of a worker. It ends when the pipe does, that is with the process that made it."""
    gate = Gate()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, gate)
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    for other in inherited:
        other.close()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(work(pipe.recv(), gate))


def _end_with_parent() -> None:
    """Whoever is killed without a word leaves no apply behind that goes on by itself."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGINT)
