"""A `pattern:` written in the spec: whether it is feasible, and what it gives up against the table."""

from __future__ import annotations

from dataclasses import dataclass

from orchestra import platform as limits
from orchestra.classify import features
from orchestra.classify.budget import Unit
from orchestra.classify.words import count, duration, keys
from orchestra.spec.model import EdgeHandler, HttpTrigger, Pattern, TableTrigger, Workload


@dataclass(frozen=True, slots=True)
class Verdict:
    """`problem` None: feasible, and `given_up` says at what price."""

    problem: str | None = None
    given_up: tuple[str, ...] = ()


def judge(workload: Workload, unit: Unit, chosen: Pattern, wanted: Pattern) -> Verdict:
    """Judge `wanted` where the table would have chosen another."""
    match wanted:
        case "wait_until":
            return _wait_until(workload, unit)
        case "scheduled_sql":
            return _scheduled_sql(workload)
        case "queue":
            return Verdict(given_up=_queue_costs(workload, chosen))


def _wait_until(workload: Workload, unit: Unit) -> Verdict:
    obstacle = _wait_until_obstacle(workload, unit)
    if obstacle is not None:
        return Verdict(problem=f"`pattern: wait_until` is not feasible: {obstacle}")
    gives = [
        "retries: a call that fails is recorded and never repeated (a queue would make "
        f"{workload.retry.max_attempts} attempts)",
        "dead letters: what failed cannot be redriven",
        "survival of an isolate: work that is running when it is killed, by its wall clock, its CPU or a "
        "deploy, is lost and marked so",
        "the limit on concurrency: every request runs at once",
    ]
    if workload.durations.max_ms >= limits.WAIT_UNTIL_MAX_MS:
        left = duration(unit.budget_ms - unit.max_ms)
        gives.append(
            f"room: a call of {duration(unit.max_ms)} leaves {left} of the guaranteed "
            f"{duration(unit.budget_ms)}"
        )
    return Verdict(given_up=tuple(gives))


def _wait_until_obstacle(workload: Workload, unit: Unit) -> str | None:
    if workload.steps:
        return "a pipeline hands work from step to step, which only a queue does"
    if not isinstance(workload.handler, EdgeHandler):
        return "the handler is SQL, and only an Edge Function can work behind its response"
    for trigger in workload.triggers:
        if isinstance(trigger, TableTrigger):
            return f"a change in {trigger.schema}.{trigger.table} has no HTTP request to work behind"
        if not isinstance(trigger, HttpTrigger):
            return "it has a trigger that is no HTTP request, so there is no response to work behind"
    if not workload.triggers:
        return "it has no HTTP trigger, so there is no response to work behind"
    if workload.fan_out is not None and features.fans_out(workload):
        most = count(workload.fan_out.max)
        return f"one request makes up to {most} items, and one call is all that it can carry"
    if unit.max_ms >= unit.budget_ms > 0:
        longest, budget = duration(unit.max_ms), duration(unit.budget_ms)
        return f"a call of up to {longest} does not fit under the {budget} that an isolate is sure of"
    return None


def _scheduled_sql(workload: Workload) -> Verdict:
    obstacle = None
    if workload.steps:
        obstacle = "a pipeline hands work from step to step, which only a queue does"
    elif features.has_edge(workload):
        obstacle = "the handler is an Edge Function, and pg_cron runs SQL only"
    elif not features.only_schedule(workload):
        obstacle = "it needs one schedule and no other trigger"
    if obstacle is not None:
        return Verdict(problem=f"`pattern: scheduled_sql` is not feasible: {obstacle}")
    lost = features.queue_keys(workload)
    return Verdict(given_up=(f"the queue: {keys(lost)} {'has' if len(lost) == 1 else 'have'} no effect",))


def _queue_costs(workload: Workload, chosen: Pattern) -> tuple[str, ...]:
    if chosen == "wait_until":
        wait = duration(workload.poll_interval_ms + limits.EDGE_BOOT_MS)
        return (
            f"latency: a call starts when a worker wakes, at once as a rule, and after {wait} when a wake "
            "is lost, instead of behind its own response",
            "invocations: a request costs one to enqueue and up to one more to work, instead of one",
        )
    poll = duration(workload.poll_interval_ms)
    return (
        f"latency: the statement runs when a consumer finds its message, up to {poll} after it was due",
        "a consumer job: one more connection of pg_cron, and a queue with its tables",
    )
