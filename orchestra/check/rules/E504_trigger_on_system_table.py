"""A trigger on a table that is not the app's."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule

_SYSTEM = frozenset(
    {
        "cron",
        "extensions",
        "graphql",
        "information_schema",
        "net",
        "orchestra",
        "pgmq",
        "realtime",
        "supabase_functions",
        "supabase_migrations",
        "vault",
    }
)


def check(facts: Facts) -> Iterator[Finding]:
    for w, t in facts.tables:
        if t.schema in _SYSTEM or t.schema.startswith("pg_"):
            yield Finding(
                w.at(f"{t.path}.name"),
                f"`{t.schema}` is no schema of the app's",
                "Let the app write what happens into a table of its own, and put the trigger there.",
            )


RULE = Rule(
    code="E504",
    title="A table trigger on a system table",
    why=(
        "The server refuses it, or its own upgrade drops it; a trigger on a queue or a job table would feed "
        "itself."
    ),
    bad="""\
version: 1
project: shop
workloads:
  watch:
    trigger: {table: {name: cron.job_run_details, on: [insert]}} # <-- E504
    duration: {max: 20s}
""",
    good="""\
version: 1
project: shop
workloads:
  watch:
    trigger: {table: {name: app.runs, on: [insert]}}
    duration: {max: 20s}
""",
    check=check,
)
