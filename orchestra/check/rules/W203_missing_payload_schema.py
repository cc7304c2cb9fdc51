"""A door without a check of what comes in."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.spec.model import Hmac, HttpTrigger


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        w = j.workload
        if w.payload_schema is not None:
            continue
        doors = [t.path for t in w.triggers if isinstance(t, HttpTrigger) and not isinstance(t.auth, Hmac)]
        # What reaches a statement by RPC, its tables refuse; nothing else would check it.
        if w.access.enqueue and not j.sql:
            doors.append("access.enqueue")
        if doors:
            yield Finding(
                w.at(doors[0]),
                f"`{w.name}` queues whatever it is sent",
                f"Write `payload_schema: ./payloads/{w.name}.json`; it gives the handler its types too.",
            )


RULE = Rule(
    code="W203",
    title="Items from outside are queued unchecked",
    why=(
        "A malformed item is accepted with 202, fails at each of its attempts, and is found hours later in "
        "the dead letters instead of being refused with 400."
    ),
    bad="""\
version: 1
project: shop
workloads:
  import:
    trigger: {http: {auth: jwt}} # <-- W203
    duration: {max: 20s}
    fan_out: {max: 100}
""",
    good="""\
version: 1
project: shop
workloads:
  import:
    trigger: {http: {auth: jwt}}
    duration: {max: 20s}
    fan_out: {max: 100}
    payload_schema: ./payloads/product.json
""",
    check=check,
)
