"""What the classifier answers: the pattern, why, and what the numbers prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestra.spec.model import Pattern


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of the decision, in a sentence, with the numbers it used (`{"max_ms": 30000, "limit_ms":
    30000}`)."""

    text: str
    numbers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The numbers behind a queue's ceiling; times in seconds.

    `ceiling = slots x items / (items x item_time + boot + wait)`: in one cycle each slot boots, works through
    `items` and waits for the next tick.
    """

    handler: Literal["edge", "sql"]
    slots: int
    """Workers at once: isolates for Edge handlers, consumer jobs for SQL."""
    per_slot: float
    """Items at once in one of them."""
    item_s: float
    """One item: its typical duration, else its longest."""
    item_is_typical: bool
    turn_s: float
    batch: int
    item_time_s: float
    """One item's share of a worker's time: `item_s / per_slot + turn_s / batch`."""
    window_s: float
    """How long a worker works in one run."""
    items: int
    """What a worker does in one run."""
    bound: Literal["time", "cpu"]
    """What ends the run: its time, or the isolate's CPU."""
    boot_s: float
    poll_s: float
    wait_s: float
    """Half a poll interval, or what is left of one after a run that is shorter."""
    ceiling_per_s: float


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a queue can do. Rates per second, times in seconds; None: does not apply, or unknown."""

    ceiling_per_s: float | None = None
    drain_burst_s: float | None = None
    latency_worst_s: float | None = None
    lease_s: float | None = None
    retry_span_s: float | None = None
    invocations_month: float | None = None
    invocations_included: float | None = None
    arrival_per_s: float | None = None
    """The declared rate, beside the ceiling that it is held against."""
    burst: int | None = None
    batch_span_s: float | None = None
    """The longest that one claimed batch can take: its rounds of handlers, each at its timeout."""
    levels: int = 1
    """Steps on the longest chain of a pipeline; the worst latency pays a start for each."""
    arithmetic: Arithmetic | None = None

    @property
    def headroom(self) -> float | None:
        """How many times the declared rate fits under the ceiling; below 1 the queue grows for ever."""
        if self.ceiling_per_s is None or not self.arrival_per_s:
            return None
        return self.ceiling_per_s / self.arrival_per_s


@dataclass(frozen=True, slots=True)
class Classification:
    """`pattern` None means that no pattern is feasible: `problem` then says why (rule E301 reports it)."""

    workload: str
    pattern: Pattern | None
    reasons: tuple[Reason, ...]
    budget_ms: int
    """The guaranteed time for one item: half the wall clock for Edge handlers, `statement_timeout` for SQL.
    0 means no limit, as it does in PostgreSQL (SQL on `provider: postgres`)."""
    capacity: Capacity = Capacity()
    problem: str | None = None
    given_up: tuple[str, ...] = ()
    """What an override by `pattern:` gives up, in sentences; empty without one."""
    ignored: tuple[str, ...] = ()
    """Keys that stand in the file and have no meaning for this pattern (`retry` on `wait_until`), sorted."""
