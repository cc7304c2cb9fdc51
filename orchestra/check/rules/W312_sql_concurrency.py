"""More consumers of one queue than pg_cron is advised to run."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra import platform as limits
from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        w = j.workload
        if j.sql and w.concurrency.limit > limits.CRON_ADVISED_JOBS:
            yield Finding(
                facts.origin(w, "concurrency.limit"),
                f"{w.concurrency.limit} consumers of `{w.name}` are {w.concurrency.limit} cron jobs",
                f"Write a limit of at most {limits.CRON_ADVISED_JOBS}, and let one statement do more at a time.",
            )


RULE = Rule(
    code="W312",
    title="A SQL handler has more consumers than jobs are advised",
    why="Each of them is a cron job with a connection of its own, for as long as there is work.",
    bad="""\
version: 1
project: shop
workloads: # W311 counts the jobs of all workloads
  resize:
    trigger: manual
    duration: {max: 5s}
    concurrency: {limit: 20} # <-- W312
    run: {sql: "select app.resize(:payload)"}
""",
    good="""\
version: 1
project: shop
workloads:
  resize:
    trigger: manual
    duration: {max: 5s}
    concurrency: {limit: 4}
    run: {sql: "select app.resize(:payload)"}
""",
    check=check,
)
