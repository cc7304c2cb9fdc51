"""Who sends to which queue and who reads it: cron jobs, triggers and functions, followed through the functions that
they call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestra.importing.uses import Uses, uses_of
from orchestra.live.inventory import Inventory, LiveFunction, LiveJob, LiveTrigger

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ends:
    """Who does one thing with one queue."""

    jobs: tuple[LiveJob, ...] = ()
    triggers: tuple[LiveTrigger, ...] = ()
    functions: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Traffic:
    """`jobs` and `triggers` hold what each does, by job id and by (schema, table, name); `senders` and `readers` are
    those of each queue, by its name in lower case, as its tables are named. A function that a trigger calls is not
    among the senders: the trigger is."""

    jobs: Mapping[int, Uses]
    triggers: Mapping[tuple[str, str, str], Uses]
    senders: Mapping[str, Ends]
    readers: Mapping[str, Ends]


def traffic_of(inventory: Inventory) -> Traffic:
    functions = _followed(inventory.functions)
    by_name = _by_name(functions)
    of_jobs = {j.jobid: _with_called(uses_of(j.command), functions, by_name) for j in inventory.jobs}
    of_triggers = {
        (t.schema, t.table, t.name): functions.get((t.function_schema, t.function), Uses())
        for t in inventory.triggers
    }
    called = {(t.function_schema, t.function) for t in inventory.triggers}

    def ends(verb: str) -> dict[str, Ends]:
        found: dict[str, tuple[list[LiveJob], list[LiveTrigger], list[Key]]] = {}
        for job in (j for j in inventory.jobs if j.here):
            for queue in _queues(of_jobs[job.jobid], verb):
                found.setdefault(queue, ([], [], []))[0].append(job)
        for trigger in inventory.triggers:
            if trigger.owner is None:
                for queue in _queues(of_triggers[trigger.schema, trigger.table, trigger.name], verb):
                    found.setdefault(queue, ([], [], []))[1].append(trigger)
        for key, uses in functions.items():
            if key not in called or verb == "read":
                for queue in _queues(uses, verb):
                    found.setdefault(queue, ([], [], []))[2].append(key)
        return {queue: Ends(tuple(j), tuple(t), tuple(f)) for queue, (j, t, f) in found.items()}

    return Traffic(of_jobs, of_triggers, ends("send"), ends("read"))


def _queues(uses: Uses, verb: str) -> list[str]:
    return sorted({use.queue.lower() for use in uses.uses if use.verb == verb and use.queue is not None})


def _by_name(functions: Iterable[Key]) -> dict[str, list[Key]]:
    found: dict[str, list[Key]] = {}
    for key in functions:
        found.setdefault(key[1], []).append(key)
    return found


def _followed(functions: Iterable[LiveFunction]) -> dict[Key, Uses]:
    """What each function does by itself or through others, to the end of every chain of calls."""
    found: dict[Key, Uses] = {}
    for f in functions:
        uses = uses_of(f.body)
        before = found.get((f.schema, f.name), Uses())
        found[f.schema, f.name] = Uses(before.uses | uses.uses, before.called | uses.called)
    by_name = _by_name(found)
    changed = True
    while changed:
        changed = False
        for key, uses in found.items():
            more = _with_called(uses, found, by_name)
            if more.uses != uses.uses:
                found[key] = more
                changed = True
    return found


def _with_called(uses: Uses, functions: Mapping[Key, Uses], by_name: Mapping[str, list[Key]]) -> Uses:
    more = set(uses.uses)
    for schema, name in uses.called:
        for key in by_name.get(name, ()):
            if schema in (None, key[0]):
                more |= functions[key].uses
    return Uses(frozenset(more), uses.called, uses.readable)
