"""The table: which pattern a feasible workload gets by itself. First match wins."""

from __future__ import annotations

from orchestra import platform as limits
from orchestra.classify import features
from orchestra.classify.model import Reason
from orchestra.classify.words import count, duration, keys
from orchestra.spec.model import (
    EdgeHandler,
    HttpTrigger,
    ManualTrigger,
    Pattern,
    ScheduleTrigger,
    TableTrigger,
    Trigger,
    Workload,
)


def choose(workload: Workload) -> Pattern:
    if is_scheduled_sql(workload):
        return "scheduled_sql"
    return "wait_until" if is_wait_until(workload) else "queue"


def why(workload: Workload, chosen: Pattern) -> tuple[Reason, ...]:
    """Why this row of the table and none before it."""
    match chosen:
        case "scheduled_sql":
            what = "One SQL statement on a schedule, without a key that needs a queue"
            return (Reason(f"{what}: pg_cron runs it by itself."),)
        case "wait_until":
            longest, line = workload.durations.max_ms, limits.WAIT_UNTIL_MAX_MS
            return (
                Reason(
                    f"One call per HTTP request of at most {duration(longest)}, under the line of "
                    f"{duration(line)}: it runs behind the response, in EdgeRuntime.waitUntil.",
                    (("max_ms", float(longest)), ("limit_ms", float(line))),
                ),
            )
        case "queue":
            return tuple(_why_queue(workload))


def is_scheduled_sql(workload: Workload) -> bool:
    return (
        features.only_schedule(workload)
        and not workload.steps
        and not features.has_edge(workload)
        and not features.queue_keys(workload)
    )


def is_wait_until(workload: Workload) -> bool:
    return (
        features.only_http(workload)
        and not workload.steps
        and isinstance(workload.handler, EdgeHandler)
        and workload.durations.max_ms < limits.WAIT_UNTIL_MAX_MS
        and not features.fans_out(workload)
        and not features.batches(workload)
    )


def _why_queue(workload: Workload) -> list[Reason]:
    """Everything that asks for a queue, the weightiest first. Never empty: see the last line."""
    why = []
    if workload.steps:
        steps = len(workload.steps)
        why.append(Reason(f"A pipeline of {steps} steps needs a queue to hand work on.", (("steps", steps),)))
    if workload.fan_out is not None and features.fans_out(workload):
        most = workload.fan_out.max
        why.append(
            Reason(
                f"One request makes up to {count(most)} items; each becomes a message that is retried by "
                "itself.",
                (("fan_out_max", most),),
            )
        )
    if features.batches(workload):
        size = workload.batch_size
        why.append(Reason(f"Work is taken in batches of {size}.", (("batch_size", size),)))
    why += [reason for t in workload.triggers if (reason := _why_trigger(t, workload)) is not None]
    if not workload.triggers:
        why.append(Reason("It is started by SQL, and a message waits until it is done."))
    if (
        workload.durations.max_ms >= limits.WAIT_UNTIL_MAX_MS
        and not workload.steps
        and features.has_edge(workload)
    ):
        longest = workload.durations.max_ms
        why.append(
            Reason(
                f"One item takes up to {duration(longest)}, not under the line of "
                f"{duration(limits.WAIT_UNTIL_MAX_MS)} for work behind a response.",
                (("max_ms", float(longest)), ("limit_ms", float(limits.WAIT_UNTIL_MAX_MS))),
            )
        )
    if len(workload.triggers) > 1:
        why.append(
            Reason(
                f"Its {len(workload.triggers)} triggers feed one queue.",
                (("triggers", len(workload.triggers)),),
            )
        )
    return why or [Reason("A queue serves everything that no other pattern fits.")]


def _why_trigger(trigger: Trigger, workload: Workload) -> Reason | None:
    match trigger:
        case TableTrigger():
            return Reason(
                f"Changes in {trigger.schema}.{trigger.table} must not be lost: they become messages in the "
                "transaction that makes them."
            )
        case ManualTrigger():
            return Reason("It is started by SQL, and a message waits until it is done.")
        case ScheduleTrigger() if features.has_edge(workload) and not workload.steps:
            return Reason(
                "A schedule that calls an Edge Function needs a message that is retried until it is done."
            )
        case ScheduleTrigger() if queue_keys := features.queue_keys(workload):
            listed = keys(queue_keys)
            return Reason(f"It is scheduled SQL, but {listed} can only be kept by a queue.")
        case HttpTrigger() if not features.has_edge(workload):
            return Reason(
                "The handler is SQL: the HTTP function only enqueues, and a consumer job in the database "
                "works."
            )
        case _:
            return None
