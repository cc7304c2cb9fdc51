"""A handler that fires its own trigger."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts, Sql
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import listed
from orchestra.spec.model import TableTrigger
from orchestra.sql import Relation


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        for t in sql.workload.triggers:
            if not isinstance(t, TableTrigger):
                continue
            for r in sql.inspection.written:
                events = [e for e in t.on if _fires(t, r, e)]
                if _same(sql, t, r) and events:
                    yield Finding(
                        sql.at(r.offset),
                        f"`{r}` is the table that starts `{sql.workload.name}`, on {listed(events)}",
                        "Let the trigger name the `columns` that start it and set others, write to another table, "
                        "or ignore this with the reason why it comes to rest.",
                    )


def _same(sql: Sql, t: TableTrigger, r: Relation) -> bool:
    if r.name != t.table:
        return False
    return r.schema == t.schema or (r.schema is None and t.schema in sql.handler.search_path)


def _fires(t: TableTrigger, r: Relation, event: str) -> bool:
    if event not in r.writes:
        return False
    return event != "update" or not t.columns or bool(set(t.columns) & set(r.columns))


RULE = Rule(
    code="E316",
    title="A SQL handler writes to the table that starts it",
    why=(
        "Each run makes the change that starts the next: a loop at full speed, for as long as values keep "
        "changing."
    ),
    bad="""\
version: 1
project: shop
workloads:
  slug:
    trigger: {table: {name: public.posts, on: [insert, update]}}
    duration: {max: 5s}
    run: {sql: "update public.posts set seen = now() where id = (:payload->'key'->>'id')::int"} # <-- E316
""",
    good="""\
version: 1
project: shop
workloads:
  slug:
    trigger: {table: {name: public.posts, on: [insert, update], columns: [title]}}
    duration: {max: 5s}
    run: {sql: "update public.posts set seen = now() where id = (:payload->'key'->>'id')::int"}
""",
    check=check,
    judgement=True,
)
