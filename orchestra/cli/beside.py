"""Pure work in a child process while this one goes on: for large specs, where there is more than one core."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


def worthwhile(size: int) -> bool:
    """Whether a child can take a part of the work: a large spec, a second core, and a system with `fork`."""
    return size >= 2_000 and hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1


class Beside(Generic[T]):
    """`work` begins at once in a child. It must be pure, and its result small, as it comes back through a pipe.

    A child that cannot be made, or that dies or fails, changes nothing but the time: then the work is done here,
    and what it raises is raised here.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._child, self._pipe = 0, -1
        sys.stdout.flush()
        sys.stderr.flush()
        self._pipe, writing = os.pipe()
        try:
            self._child = os.fork()
        except OSError:
            os.close(writing)
            return
        if self._child == 0:
            _do(work, writing)
        os.close(writing)

    def result(self) -> T:
        with os.fdopen(self._pipe, "rb") as pipe:
            data = pipe.read()
        if not self._child or os.waitpid(self._child, 0)[1] != 0:
            return self._work()
        found: T = pickle.loads(data)
        return found


def _do(work: Callable[[], object], pipe: int) -> NoReturn:
    """The whole life of the child. It ends without any of the parent's clean-up, and says nothing."""
    status = 1
    try:
        data = pickle.dumps(work())
        with os.fdopen(pipe, "wb") as file:
            file.write(data)
        status = 0
    finally:
        os._exit(status)
