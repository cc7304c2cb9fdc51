"""The first row of the table: how long one item may take, and whether the longest item outlasts that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestra import platform as limits
from orchestra.classify.model import Reason
from orchestra.classify.words import duration
from orchestra.spec.model import EdgeHandler, Platform, Workload


@dataclass(frozen=True, slots=True)
class Unit:
    """What runs under one budget: the workload's handler, or one step of a pipeline. 0 ms is no limit."""

    name: str
    max_ms: int
    edge: bool
    budget_ms: int

    @property
    def outlasts(self) -> bool:
        return 0 < self.budget_ms < self.max_ms

    @property
    def slack_ms(self) -> float:
        return self.budget_ms - self.max_ms if self.budget_ms else float("inf")


def edge_budget_ms(platform: Platform) -> int:
    return limits.EDGE[platform.plan].guaranteed_ms


def sql_budget_ms(platform: Platform) -> int:
    """0 (no limit) on plain Postgres, whose `statement_timeout` is 0 by default."""
    return limits.SUPABASE_STATEMENT_TIMEOUT_MS if platform.provider == "supabase" else 0


def units(workload: Workload, platform: Platform) -> Iterator[Unit]:
    def budget(edge: bool) -> int:
        return edge_budget_ms(platform) if edge else sql_budget_ms(platform)

    for step in workload.steps:
        edge = isinstance(step.handler, EdgeHandler)
        yield Unit(f"step `{step.name}`", step.durations.max_ms, edge, budget(edge))
    if not workload.steps:
        edge = isinstance(workload.handler, EdgeHandler)
        name = "one item" if edge else "the statement"
        yield Unit(name, workload.durations.max_ms, edge, budget(edge))


def tightest(workload: Workload, platform: Platform) -> Unit:
    """The unit with the least slack: the one that the budget is a question for."""
    found = list(units(workload, platform))
    return found[0] if len(found) == 1 else min(found, key=lambda u: u.slack_ms)


def problem(unit: Unit, platform: Platform) -> str | None:
    """Why the unit cannot run anywhere, or None when it fits."""
    if not unit.outlasts:
        return None
    over = duration(unit.max_ms - unit.budget_ms)
    if unit.edge:
        wall = duration(limits.EDGE[platform.plan].wall_clock_ms)
        return (
            f"{unit.name} takes up to {duration(unit.max_ms)}, {over} more than the "
            f"{duration(unit.budget_ms)} that an Edge Function is sure of on the {platform.plan} plan (half "
            f"of its {wall} wall clock); split it into smaller items or into steps"
        )
    return (
        f"{unit.name} takes up to {duration(unit.max_ms)}, {over} more than the `statement_timeout` of "
        f"{duration(unit.budget_ms)} that Supabase sets for the `postgres` role; split it into smaller "
        "statements, each over a part of the rows"
    )


def reason(unit: Unit, platform: Platform) -> Reason:
    """The budget in a sentence, for a unit that fits."""
    numbers = (("max_ms", float(unit.max_ms)), ("budget_ms", float(unit.budget_ms)))
    if unit.edge:
        wall = duration(limits.EDGE[platform.plan].wall_clock_ms)
        text = (
            f"{_start(unit)} takes at most {duration(unit.max_ms)} and an Edge Function on the "
            f"{platform.plan} plan is sure of {duration(unit.budget_ms)}, half of its {wall} wall clock."
        )
    elif unit.budget_ms:
        text = (
            f"{_start(unit)} takes at most {duration(unit.max_ms)}, within the `statement_timeout` of "
            f"{duration(unit.budget_ms)} that Supabase sets for the `postgres` role."
        )
    else:
        text = (
            f"{_start(unit)} takes at most {duration(unit.max_ms)}; plain Postgres sets no "
            "`statement_timeout` by default, so no budget bounds it here."
        )
    return Reason(text, numbers)


def _start(unit: Unit) -> str:
    return unit.name[0].upper() + unit.name[1:]
