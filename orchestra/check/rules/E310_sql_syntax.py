"""A statement that PostgreSQL cannot read."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        error = sql.inspection.error
        if error is not None and not sql.bound.unknown:
            yield Finding(
                sql.at(sql.inspection.offset),
                f"this is no SQL: {error}",
                "Try the statement in psql; parameters are :payload, :attempt and :message_id.",
            )


RULE = Rule(
    code="E310",
    title="A SQL handler does not parse",
    why="pg_cron accepts any text without a word; the mistake would show as a failure at every run.",
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 15m}}
    duration: {max: 5s}
    run: {sql: "delete form app.sessions"} # <-- E310
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
