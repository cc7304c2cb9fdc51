"""Two workloads with one queue."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.diagnostics import Label
from orchestra.spec.model import Workload


def check(facts: Facts) -> Iterator[Finding]:
    users = dict[str, list[Workload]]()
    for j in facts.judged:
        if j.pattern in ("queue", None):
            users.setdefault(_stored(j.workload.queue.name), []).append(j.workload)
    for name, workloads in users.items():
        if len(workloads) < 2:
            continue
        # Whose queue has its own name keeps it; another gets the finding, where its name can be changed.
        keeper, *others = sorted(workloads, key=lambda w: ("queue.name" in w.written, w.at("queue.name")))
        for w in others:
            yield Finding(
                w.at("queue.name"),
                f"the queue `{name}` of `{w.name}` is that of `{keeper.name}` too",
                "Write another name: `queue: {name: …}`.",
                labels=(Label(keeper.at("queue.name"), "already used here"),),
            )


def _stored(name: str) -> str:
    """As pgmq's tables are named: in lower case, at most 47 characters."""
    return name.replace("-", "_").lower()[:47]


RULE = Rule(
    code="E209",
    title="Two workloads have the same queue",
    why="pgmq stores both in the same tables, so each would take, and delete, the other's messages.",
    bad="""\
version: 1
project: shop
workloads:
  send-mail:
    trigger: manual
    duration: {max: 40s}
  mailer:
    trigger: manual
    duration: {max: 40s}
    queue: {name: send_mail} # <-- E209
""",
    good="""\
version: 1
project: shop
workloads:
  send-mail:
    trigger: manual
    duration: {max: 40s}
  mailer:
    trigger: manual
    duration: {max: 40s}
    queue: {name: mailer}
""",
    check=check,
)
