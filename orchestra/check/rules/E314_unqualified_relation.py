"""A table without its schema."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.sql.builtins import RELATIONS


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        if sql.handler.search_path:
            continue
        for r in sql.inspection.relations:
            if r.schema is None and r.name not in RELATIONS:
                yield Finding(
                    sql.at(r.offset),
                    f"`{r.name}` has no schema, and the search path is empty",
                    f"Write `public.{r.name}`, or whichever schema it is in (or `run.search_path: [public]`).",
                )


RULE = Rule(
    code="E314",
    title="A SQL handler names a table without its schema",
    why=(
        "Handlers run with an empty search path, so that nobody can slip another table in between; an "
        "unqualified name is not found."
    ),
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 15m}}
    duration: {max: 5s}
    run: {sql: "delete from sessions where expires_at < now()"} # <-- E314
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
