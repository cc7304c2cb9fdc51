"""More or less than one statement."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        count = sql.inspection.statements
        if sql.inspection.error is None and count != 1:
            yield Finding(
                sql.at(),
                f"the handler holds {count} statements" if count else "the handler holds no statement",
                "Join them with WITH, call a function that does both, or make each a workload of its own."
                if count
                else "Write one statement, or remove `run` for an Edge Function.",
            )


RULE = Rule(
    code="E311",
    title="A SQL handler is not exactly one statement",
    why=("A handler is run as one prepared statement, which takes exactly one; the others would never run."),
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 15m}}
    duration: {max: 5s}
    run: {sql: "delete from app.a where old; delete from app.b where old"} # <-- E311
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 15m}}
    duration: {max: 5s}
    run: {sql: "with a as (delete from app.a where old) delete from app.b where old"}
""",
    check=check,
)
