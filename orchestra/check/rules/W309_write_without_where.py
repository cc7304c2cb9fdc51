"""A change of every row."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        for r in sql.inspection.relations:
            if r.unbounded:
                yield Finding(
                    sql.at(r.offset),
                    f"{' and '.join(sorted(r.writes)).upper()} without WHERE touches every row of `{r}`",
                    "Add a WHERE, use TRUNCATE to empty a table, or write `where true` if every row is meant.",
                )


RULE = Rule(
    code="W309",
    title="An update or delete has no WHERE",
    why=(
        "Every row is locked and rewritten at each run; and a condition that was forgotten deletes "
        "everything."
    ),
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 15m}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions"} # <-- W309
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 15m}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    check=check,
)
