"""Which database is begun next: so many at a time, the canaries first, and none any more once something says so."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from orchestra.fleet.model import Outcome, Result


class Schedule:
    """The order of a run over `names`. Whoever runs it begins what `begin` gives, and reports it to `ended`.

    The first `canary` of them run before the others, which are begun only if all of those went well. With `fail_fast`
    nothing is begun after the first that did not go well. A database whose server has no connection left waits for
    its turn again while others run, and one fewer runs at a time from then on.
    """

    def __init__(
        self, names: Sequence[str], *, parallel: int, canary: int = 0, fail_fast: bool = False
    ) -> None:
        self._canaries = set(names[:canary])
        self._first = deque(names[:canary])
        self._rest = deque(names[canary:])
        self._parallel = parallel
        self._fail_fast = fail_fast
        self._running: dict[str, None] = {}
        self._why = ""

    @property
    def running(self) -> tuple[str, ...]:
        """In the order in which they were begun."""
        return tuple(self._running)

    @property
    def parallel(self) -> int:
        """How many may run at a time by now."""
        return self._parallel

    @property
    def why_stopped(self) -> str:
        """Why what is left is not begun; empty while it may be."""
        return self._why

    @property
    def is_over(self) -> bool:
        return not self._running and (bool(self._why) or not (self._first or self._rest))

    def begin(self) -> str | None:
        """The next that may run now; None where none may, for now or at all."""
        if self._why or len(self._running) >= self._parallel:
            return None
        if self._first:
            name = self._first.popleft()
        elif self._rest and not self._canaries:
            name = self._rest.popleft()
        else:
            return None
        self._running[name] = None
        return name

    def ended(self, result: Result) -> bool:
        """False where it will have another turn, so that this is not its result."""
        name = result.environment
        del self._running[name]
        if result.full and self._running and not self._why:
            self._parallel = max(1, min(self._parallel - 1, len(self._running)))
            (self._first if name in self._canaries else self._rest).appendleft(name)
            return False
        if result.outcome.went_well:
            self._canaries.discard(name)
        elif name in self._canaries:
            self.stop(f"{name} was a canary and did not go well")
        elif self._fail_fast:
            self.stop(f"{name} did not go well, and --fail-fast was given")
        return True

    def stop(self, why: str) -> None:
        """Nothing more is begun; what runs goes on."""
        self._why = self._why or why

    def not_begun(self) -> tuple[Result, ...]:
        """One for each that never ran, in order."""
        why = self._why
        return tuple(Result(name, Outcome.NOT_BEGUN, error=why) for name in (*self._first, *self._rest))
