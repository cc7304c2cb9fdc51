"""SQL that sends to a workload that will not be there, or that has no queue."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import did_you_mean
from orchestra.sql import sends


def check(facts: Facts) -> Iterator[Finding]:
    spec = facts.spec
    elsewhere = {(r.project, r.workload) for r in spec.requires if r.project and r.queue is None}
    for sql in facts.sql:
        for sent in sends(sql.inspection):
            project, slash, name = sent.value.rpartition("/")
            if (project, name) in elsewhere or (project, None) in elsewhere:
                continue
            if slash and project != spec.project:
                yield Finding(
                    sql.at(sent.offset),
                    f"`{name}` of project `{project}` is not among what this spec requires",
                    f"Declare it: `requires: [{{project: {project}, workload: {name}}}]`.",
                )
            elif (to := facts.by_name.get(name)) is not None:
                if to.pattern is not None and not to.queue:
                    yield Finding(
                        sql.at(sent.offset),
                        f"`{name}` has no queue to send to: its pattern is {to.pattern}",
                        "Give it `trigger: manual` beside its other triggers, or send to another workload.",
                    )
            elif not slash and any(workload in (name, None) for _, workload in elsewhere):
                continue
            else:
                yield Finding(
                    sql.at(sent.offset),
                    f"there is no workload `{name}` to send to",
                    did_you_mean(
                        name,
                        [j.workload.name for j in facts.queues],
                        "Declare it; of another project, `requires: [{project: …, workload: …}]` says so.",
                    ),
                )


RULE = Rule(
    code="E224",
    title="SQL sends to a workload that is not there",
    why=(
        "PostgreSQL takes the statement, for a name in quotes is no more than text to it; each run would fail, "
        "beginning with the first after the apply."
    ),
    bad="""\
version: 1
project: shop
workloads:
  collect:
    trigger: {schedule: {cron: "0 8 * * *"}}
    duration: {max: 5s}
    run: {sql: "select orchestra.send('remind-custmer', to_jsonb(id)) from shop.overdue"} # <-- E224
  remind-customer:
    trigger: manual
    duration: {max: 20s}
""",
    good="""\
version: 1
project: shop
workloads:
  collect:
    trigger: {schedule: {cron: "0 8 * * *"}}
    duration: {max: 5s}
    run: {sql: "select orchestra.send('remind-customer', to_jsonb(id)) from shop.overdue"}
  remind-customer:
    trigger: manual
    duration: {max: 20s}
""",
    check=check,
    judgement=True,
)
