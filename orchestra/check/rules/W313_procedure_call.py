"""A procedure that must not commit."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        if sql.sound and sql.inspection.kind == "CALL":
            name = next((str(f) for f in sql.inspection.functions), "the procedure")
            yield Finding(
                sql.at(),
                f"`{name}` runs inside a transaction and cannot COMMIT there",
                "Make it a function, or say in an ignore comment that it never commits.",
            )


RULE = Rule(
    code="W313",
    title="A SQL handler calls a procedure",
    why=(
        "The handler and its acknowledgement commit together; a COMMIT inside the procedure fails, at every "
        "message."
    ),
    bad="""\
version: 1
project: shop
workloads:
  archive:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "call app.archive(:payload)"} # <-- W313
""",
    good="""\
version: 1
project: shop
workloads:
  archive:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select app.archive(:payload)"}
""",
    check=check,
)
