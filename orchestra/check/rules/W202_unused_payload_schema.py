"""A schema for payloads that orchestra writes itself."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.spec.model import HttpTrigger, ManualTrigger


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.workloads:
        if w.payload_schema is None:
            continue
        if not (any(isinstance(t, HttpTrigger | ManualTrigger) for t in w.triggers) or w.access.enqueue):
            yield Finding(
                w.at("payload_schema"),
                f"no payload of `{w.name}` comes from outside",
                "Remove `payload_schema`, or add the trigger whose payloads it describes.",
            )


RULE = Rule(
    code="W202",
    title="A payload schema describes nothing",
    why=(
        "Schedules and table triggers make their own payloads; the schema describes something that never "
        "arrives."
    ),
    bad="""\
version: 1
project: shop
workloads:
  embed:
    trigger: {table: {name: public.documents, on: [insert]}}
    duration: {max: 20s}
    payload_schema: ./payloads/product.json # <-- W202
""",
    good="""\
version: 1
project: shop
workloads:
  embed:
    trigger: {table: {name: public.documents, on: [insert]}}
    duration: {max: 20s}
""",
    check=check,
)
