"""What the specs need of a database, all of them together: nothing is asked here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from orchestra.check.facts import gather
from orchestra.check.jobs import busiest
from orchestra.classify.features import has_edge
from orchestra.kinds.secret import FUNCTION_URL, Secret, vault_name
from orchestra.lower import lower, patterns
from orchestra.spec.model import ScheduleTrigger, Spec

_MONTHS: Final = 14


@dataclass(frozen=True, slots=True)
class Needs:
    """`functions` are names with whether the database wakes them; `busiest` is None without a spec, `function_url`
    where nothing is called."""

    extensions: frozenset[str] = frozenset()
    secrets: tuple[Secret, ...] = ()
    function_url: str | None = None
    functions: tuple[tuple[str, bool], ...] = ()
    zones: tuple[str, ...] = ()
    busiest: int | None = None

    @property
    def jobs(self) -> bool:
        return "pg_cron" in self.extensions

    @property
    def calls(self) -> bool:
        return "pg_net" in self.extensions


def needs_of(specs: Sequence[Spec]) -> Needs:
    resources = [r for spec in specs for r in lower(spec)]
    secrets = {r.object_name: r for r in resources if isinstance(r, Secret)}
    woken = {
        w.name
        for spec in specs
        for chosen in [patterns(spec)]
        for w in spec.workloads
        if has_edge(w) and chosen.get(w.name) == "queue"
    }
    zones = {
        t.timezone
        for spec in specs
        for w in spec.workloads
        for t in w.triggers
        if isinstance(t, ScheduleTrigger) and t.timezone
    }
    return Needs(
        frozenset(r.key for r in resources if r.kind == "extension"),
        tuple(secrets[name] for name in sorted(secrets)),
        next(
            (vault_name(s, FUNCTION_URL) for s in specs if any(r.kind == "edge_function" for r in lower(s))),
            None,
        ),
        tuple(sorted((r.key, r.key in woken) for r in resources if r.kind == "edge_function")),
        tuple(sorted(zones)),
        sum(busiest(gather(spec)).total for spec in specs if spec.workloads) if specs else None,
    )


def moments(now: datetime) -> tuple[datetime, ...]:
    """The middle of this month and of those that follow: every change of the clocks lies between two of them."""
    first = now.astimezone(UTC).replace(day=15, hour=12, minute=0, second=0, microsecond=0)
    return tuple(first + timedelta(days=30.4 * n) for n in range(_MONTHS))
