"""A queue that a crash empties."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        if j.workload.queue.kind == "unlogged":
            yield Finding(
                j.workload.at("queue.kind"),
                f"the messages of `{j.workload.name}` do not survive a crash of the server",
                "Write `kind: standard`, or say in an ignore comment why they may be lost.",
            )


RULE = Rule(
    code="W304",
    title="An unlogged queue loses its messages at a crash",
    why=(
        "PostgreSQL truncates unlogged tables after a crash or a failover: every waiting message is gone, "
        "without a trace."
    ),
    bad="""\
version: 1
project: shop
workloads:
  metrics:
    trigger: manual
    duration: {max: 40s}
    queue: {kind: unlogged} # <-- W304
""",
    good="""\
version: 1
project: shop
workloads:
  metrics:
    trigger: manual
    duration: {max: 40s}
    queue: {kind: standard}
""",
    check=check,
)
