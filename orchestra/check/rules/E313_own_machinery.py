"""A handler that reaches into the machinery."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.sql import Name, Relation

_INSTEAD = {
    "cron": "Declare the job as a workload with a schedule.",
    "net": "Make the call in an Edge Function, which is retried: `orchestra.send` to a workload without `run`.",
    "pgmq": "Write `select orchestra.send('workload', :payload)`; acknowledging is done for you.",
    "orchestra": "Use the functions of `orchestra`; its tables change with its version.",
}


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        names: list[Name | Relation] = [f for f in sql.inspection.functions if f.schema != "orchestra"]
        names += sql.inspection.relations
        for name in names:
            if name.schema in _INSTEAD:
                yield Finding(
                    sql.at(name.offset), f"`{name}` belongs to the machinery", _INSTEAD[name.schema or ""]
                )


RULE = Rule(
    code="E313",
    title="A SQL handler uses pg_cron, pg_net or pgmq directly",
    why=(
        "Jobs, queues and calls made there belong to no workload: no plan shows them, nothing retries them, "
        "and the next apply may undo them."
    ),
    bad="""\
version: 1
project: shop
workloads:
  relay:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select pgmq.send('mails', :payload)"} # <-- E313
""",
    good="""\
version: 1
project: shop
workloads:
  relay:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select orchestra.send('mails', :payload)"}
  mails:
    trigger: manual
    duration: {max: 20s}
""",
    check=check,
    judgement=True,
)
