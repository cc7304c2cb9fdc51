"""A scheduled statement asks for a message."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import listed
from orchestra.sql import PARAMETERS

_OF_MESSAGES = ("payload", "message_id")


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        used = [name for name in _OF_MESSAGES if PARAMETERS[name] in sql.bound.used]
        if used and facts.by_name[sql.workload.name].pattern == "scheduled_sql":
            yield Finding(
                sql.at(),
                f"{listed(f':{name}' for name in used)} in a statement that no message starts",
                "Take the value from a table, or write `pattern: queue` and enqueue what it is to work on.",
            )


RULE = Rule(
    code="E213",
    title="A scheduled statement uses a message that it does not have",
    why=("pg_cron runs the statement by itself, so there is no message, no payload and no id to work with."),
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 15m}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where tenant = :payload->>'tenant'"} # <-- E213
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
