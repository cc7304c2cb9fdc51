"""A queue becomes a paused workload: what it is for, orchestra cannot know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from orchestra.importing import words
from orchestra.importing.model import LeftOut, Made
from orchestra.importing.text import block, flow, name
from orchestra.importing.traffic import Ends, Traffic
from orchestra.ir.sql import literal
from orchestra.live.inventory import Inventory, LiveQueue, LiveTrigger

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,46}\Z")
_EVENTS: Final = ("insert", "update", "delete")


def queue_of(
    queue: LiveQueue, workload: str, supabase: bool, traffic: Traffic, jobs: Mapping[int, str]
) -> Made:
    """`supabase`: there are Edge Functions to handle it; `jobs` are the workloads that jobs became, by job id."""
    notes = [
        f"From queue {name(queue.name)} ({queue.kind}). Adopting it leaves its messages where they are.",
        *_traffic(queue, traffic, jobs),
    ]
    lines = ["trigger: manual", "paused: true", "poll_interval: 1m"]
    lines += ["# A guess: nothing says how long one message takes.", "duration: {max: 30s}"]
    options = {}
    if queue.name != workload.replace("-", "_"):
        options["name"] = queue.name
    if queue.kind != "standard":
        options["kind"] = queue.kind
    if options:
        lines.append(f"queue: {flow(options)}")
    lines += [
        "# The handler is yours to write. Until then a message that came here would fail, and not be lost."
    ]
    if supabase:
        lines.append("# Without `run` it is an Edge Function.")
    said = f"queue {queue.name} has no handler yet: write it, then remove paused"
    lines += ["run:", *block("sql", f"select concat({literal(said)})::int", 2)]
    offers = [
        line for t in traffic.senders.get(queue.name.lower(), Ends()).triggers for line in _offer(t, workload)
    ]
    return Made(
        workload, f"queue {name(queue.name)}", tuple(notes), (*lines, *offers), f"queue.{workload}", True
    )


def left_out(queue: LiveQueue, inventory: Inventory) -> LeftOut | None:
    """That a queue is none of which a workload can be made, and why."""
    reason, hint = _against(queue, inventory)
    return LeftOut(f"queue {name(queue.name)} ({queue.kind})", reason, hint) if reason else None


def _against(queue: LiveQueue, inventory: Inventory) -> tuple[str, str]:
    if queue.kind == "partitioned":
        return (
            "orchestra adopts no partitioned queue: pgmq drops old partitions with undelivered messages in them",
            "Make a standard queue, send to that one, and drop this one when it is empty.",
        )
    twins = [q for q in inventory.queues if q is not queue and q.name.lower() == queue.name.lower()]
    if twins:
        return (
            f"it shares its tables with queue {name(twins[0].name)}: pgmq lower-cases their names",
            "Keep one of the two rows in pgmq.meta.",
        )
    if not _NAME.match(queue.name):
        return (
            "orchestra takes names of lower-case letters, digits and underscores only, at most 47, a letter first",
            "Make a queue of another name, send to that one, and drop this one when it is empty.",
        )
    if not queue.complete:
        return "one of its two tables is gone", f"`select pgmq.create({literal(queue.name)})` makes it whole."
    return "", ""


def _traffic(queue: LiveQueue, traffic: Traffic, jobs: Mapping[int, str]) -> Iterator[str]:
    reads = traffic.readers.get(queue.name.lower(), Ends())
    sends = traffic.senders.get(queue.name.lower(), Ends())
    for job in reads.jobs:
        became = jobs.get(job.jobid)
        yield " ".join(
            (
                f"Its consumer is {words.job(job)}" + (f", here workload {became}." if became else "."),
                words.failing(job) or "",
                "As long as that works, leave this paused: both would take messages."
                if became
                else f"Before you remove `paused`, run `select cron.unschedule({job.jobid})`, or both take messages.",
            )
        ).replace("  ", " ")
    functions = [words.function(*key) for key in reads.functions]
    if reads.jobs and functions:
        yield f"{_list(functions)} {'reads' if len(functions) == 1 else 'read'} it."
    elif functions:
        verb, what = ("reads", "that") if len(functions) == 1 else ("read", "those")
        yield f"{_list(functions)} {verb} it. Nothing in the database says who calls {what}, so it is paused."
    elif not reads.jobs:
        yield "Nothing in the database says who consumes it, so it is paused: orchestra takes no message of it."
    for trigger in sends.triggers:
        yield (
            f"A {words.trigger(trigger)} sends to it, by function "
            f"{words.function(trigger.function_schema, trigger.function)}; "
            + ("it goes on doing so." if trigger.enabled else "it is disabled.")
        )
    for job in sends.jobs:
        yield f"Also {words.job(job)} sends to it."
    senders = [words.function(*key) for key in sends.functions]
    if senders:
        yield f"{_list(senders)} {'sends' if len(senders) == 1 else 'send'} to it."


def _offer(trigger: LiveTrigger, workload: str) -> Iterator[str]:
    """The trigger that orchestra would make in the place of one, as comments."""
    events = [e for e in trigger.events if e in _EVENTS]
    if not events:
        return
    plain = all(re.fullmatch(r"[^.\s\"]{1,63}", p) for p in (trigger.schema, trigger.table))
    table = f"{trigger.schema}.{trigger.table}" if plain else [trigger.schema, trigger.table]
    keys: dict[str, object] = {"name": table, "on": events}
    if trigger.columns:
        keys["columns"] = trigger.columns
    yield f"# In the place of {words.trigger(trigger)}, once a migration has dropped it:"
    yield f"#   trigger: {flow({'table': keys})}"
    yield "# The payload is then {op, table, key, changed, at}, and not what that trigger sends."


def _list(items: list[str], most: int = 5) -> str:
    shown = items[:most]
    if len(items) > most:
        return f"{', '.join(shown)} and {len(items) - most} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
