"""The classifier: budget, table, override and proof, in that order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestra.classify import budget, features, override, table
from orchestra.classify.capacity import prove
from orchestra.classify.model import Classification, Reason
from orchestra.spec.model import Pattern, Platform, Workload


def pattern_of(workload: Workload, platform: Platform) -> Pattern | None:
    """The pattern alone, without reasons and proof: a tenth of the work, for those who compile."""
    return decide(workload, platform).pattern


def classify(workload: Workload, platform: Platform) -> Classification:
    """How `workload` should run on `platform`, and why. Total: any workload gets an answer, or a problem."""
    decided = decide(workload, platform)
    unit, chosen, pattern = decided.unit, decided.chosen, decided.pattern
    why = table.why(workload, chosen) if chosen is not None else ()
    if pattern is None or chosen is None:
        return Classification(workload.name, None, why, unit.budget_ms, problem=decided.problem)
    if pattern != chosen:
        why = (Reason(f"`pattern: {pattern}` is written, where the table would choose {chosen}."), *why)
    return Classification(
        workload=workload.name,
        pattern=pattern,
        reasons=(*why, budget.reason(unit, platform), *_on_retry(workload, pattern)),
        budget_ms=unit.budget_ms,
        capacity=prove(workload, platform, pattern),
        given_up=decided.given_up,
        ignored=ignored(workload, pattern),
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """`chosen` is what the table says, None where no row fits; `pattern` what comes of it."""

    unit: budget.Unit
    chosen: Pattern | None = None
    pattern: Pattern | None = None
    problem: str | None = None
    given_up: tuple[str, ...] = ()

    @property
    def budget_ms(self) -> int:
        return self.unit.budget_ms


def decide(workload: Workload, platform: Platform) -> Decision:
    """What `classify` says without its sentences and numbers, for rules, which look at all workloads."""
    unit = budget.tightest(workload, platform)
    problem = _no_edge_here(workload, platform) or budget.problem(unit, platform)
    if problem is not None:
        return Decision(unit, problem=problem)
    chosen = table.choose(workload)
    if workload.pattern is None or workload.pattern == chosen:
        return Decision(unit, chosen, chosen)
    verdict = override.judge(workload, unit, chosen, workload.pattern)
    if verdict.problem is not None:
        said = f"{verdict.problem}; without it the table would choose {chosen}"
        return Decision(unit, chosen, problem=said)
    return Decision(unit, chosen, workload.pattern, given_up=verdict.given_up)


def _no_edge_here(workload: Workload, platform: Platform) -> str | None:
    if platform.provider == "supabase" or not features.has_edge(workload):
        return None
    return "`provider: postgres` has no Edge Functions: give it a handler in SQL (`run: {sql: …}`)"


def _on_retry(workload: Workload, pattern: Pattern) -> Iterator[Reason]:
    """What becomes of `retry` where no queue carries it."""
    attempts = workload.retry.max_attempts
    own = features.writes_retry(workload)
    if pattern == "wait_until" and not own:
        yield Reason(
            f"The default of {attempts} attempts does not apply: nothing repeats a call behind a response.",
            (("max_attempts", attempts),),
        )
    elif pattern == "scheduled_sql" and own:
        yield Reason(
            f"Its own `retry` gives a run that fails up to {attempts} attempts.",
            (("max_attempts", attempts),),
        )
    elif pattern == "scheduled_sql":
        yield Reason(
            "A run that fails is not repeated before its next due time; write a `retry` to have it so."
        )


def ignored(workload: Workload, pattern: Pattern) -> tuple[str, ...]:
    """The keys in the file that have no meaning for the pattern."""
    match pattern:
        case "wait_until":
            return features.ignored_by_wait_until(workload)
        case "scheduled_sql":
            return features.queue_keys(workload)
        case "queue":
            return features.ignored_by_queue(workload)
