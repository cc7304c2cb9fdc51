"""Triggers that enqueue somewhere unknown, or call out: they stay, and it is said."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from orchestra.importing import words
from orchestra.importing.model import LeftOut
from orchestra.importing.text import name
from orchestra.importing.traffic import Traffic
from orchestra.live.inventory import Inventory


def triggers_left_out(inventory: Inventory, traffic: Traffic, imported: Collection[str]) -> Iterator[LeftOut]:
    """`imported` are the queues that became workloads."""
    known = {q.lower() for q in imported}
    for trigger in inventory.triggers:
        if trigger.owner is not None:
            continue
        uses = traffic.triggers[trigger.schema, trigger.table, trigger.name]
        by = (
            f"{words.trigger(trigger)} (function {words.function(trigger.function_schema, trigger.function)})"
        )
        if (trigger.function_schema, trigger.function) == ("supabase_functions", "http_request"):
            yield LeftOut(
                by,
                "it is a database webhook: it makes an HTTP call that nothing repeats when it fails",
                "A workload with a `table:` trigger, handled by an Edge Function, does the same and tries again.",
            )
            continue
        elsewhere = sorted(q for q in uses.sends if q is not None and q.lower() not in known)
        if None in uses.sends:
            yield LeftOut(
                by,
                "it sends to a queue whose name only a run tells",
                "It goes on doing so, with an adopted queue as well.",
            )
        elif elsewhere:
            named = ", ".join(name(q) for q in elsewhere)
            yield LeftOut(by, f"it sends to {named}, which is not imported", "It goes on doing so.")
        if uses.calls_out:
            yield LeftOut(
                by,
                "its function makes an HTTP call that nothing repeats when it fails",
                "A workload with a `table:` trigger, handled by an Edge Function, does the same and tries again.",
            )
