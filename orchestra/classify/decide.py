"""The classifier: budget, table, override and proof, in that order."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.classify import budget, features, override, table
from orchestra.classify.capacity import prove
from orchestra.classify.model import Classification, Reason
from orchestra.spec.model import Pattern, Platform, Workload


def classify(workload: Workload, platform: Platform) -> Classification:
    """How `workload` should run on `platform`, and why. Total: any workload gets an answer, or a problem."""
    unit = budget.tightest(workload, platform)
    problem = _no_edge_here(workload, platform) or budget.problem(unit, platform)
    if problem is not None:
        return Classification(workload.name, None, (), unit.budget_ms, problem=problem)
    chosen, why = table.choose(workload)
    wanted = workload.pattern or chosen
    verdict = override.judge(workload, unit, chosen, wanted)
    if verdict.problem is not None:
        said = f"{verdict.problem}; without it the table would choose {chosen}"
        return Classification(workload.name, None, why, unit.budget_ms, problem=said)
    if wanted != chosen:
        why = (Reason(f"`pattern: {wanted}` is written, where the table would choose {chosen}."), *why)
    return Classification(
        workload=workload.name,
        pattern=wanted,
        reasons=(*why, budget.reason(unit, platform), *_on_retry(workload, wanted)),
        budget_ms=unit.budget_ms,
        capacity=prove(workload, platform, wanted),
        given_up=verdict.given_up,
        ignored=_ignored(workload, wanted),
    )


def _no_edge_here(workload: Workload, platform: Platform) -> str | None:
    if platform.provider == "supabase" or not features.has_edge(workload):
        return None
    return "`provider: postgres` has no Edge Functions: give it a handler in SQL (`run: {sql: …}`)"


def _on_retry(workload: Workload, pattern: Pattern) -> Iterator[Reason]:
    """What becomes of `retry` where no queue carries it."""
    attempts = workload.retry.max_attempts
    own = "retry" in features.written_keys(workload)
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


def _ignored(workload: Workload, pattern: Pattern) -> tuple[str, ...]:
    match pattern:
        case "wait_until":
            return features.ignored_by_wait_until(workload)
        case "scheduled_sql":
            return features.queue_keys(workload)
        case "queue":
            return features.ignored_by_queue(workload)
