"""A scheduled statement asks for a message."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.sql import PARAMETERS


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        used = PARAMETERS["message_id"] in sql.bound.used
        if used and facts.by_name[sql.workload.name].pattern == "scheduled_sql":
            yield Finding(
                sql.at(),
                ":message_id in a statement that no message starts",
                "Use `:payload ->> 'scheduled_for'`, the time for which it runs, or write `pattern: queue`.",
            )


RULE = Rule(
    code="E213",
    title="A scheduled statement asks for a message that it does not have",
    why="pg_cron runs the statement by itself, so there is no message and no id; its payload says when it is due.",
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 15m}}
    duration: {max: 5s}
    run: {sql: "insert into app.purges (message) values (:message_id)"} # <-- E213
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 15m}}
    duration: {max: 5s}
    run: {sql: "insert into app.purges (due) values ((:payload ->> 'scheduled_for')::timestamptz)"}
""",
    check=check,
)
