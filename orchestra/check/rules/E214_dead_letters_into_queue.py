"""Dead letters are sent into a queue that is another one's already."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.diagnostics import Label
from orchestra.spec.model import Workload


def check(facts: Facts) -> Iterator[Finding]:
    owners = {j.workload.queue.name: j.workload.name for j in facts.judged if j.pattern in ("queue", None)}
    first = dict[str, Workload]()
    for w in facts.workloads:
        if w.dead_letter_queue is None:
            continue
        keeper = first.setdefault(w.dead_letter_queue, w)
        if w.dead_letter_queue in owners:
            owner = owners[w.dead_letter_queue]
            whose = "this very workload" if owner == w.name else f"`{owner}`"
            yield Finding(
                w.at("dead_letter_queue"),
                f"`{w.dead_letter_queue}` is the queue of {whose}",
                f"Name a queue that nothing works on, such as `{w.queue.name[:40]}_failed`, or use "
                "`on_failure` to hand failures to a workload.",
            )
        elif keeper is not w:
            yield Finding(
                w.at("dead_letter_queue"),
                f"`{w.dead_letter_queue}` has the dead letters of `{keeper.name}` already",
                f"Name another queue, such as `{w.queue.name[:40]}_failed`, or hand the failures of both to one "
                "workload: `on_failure: NAME`.",
                "A queue is made and dropped with the workload that it belongs to; the other one would lose it.",
                (Label(keeper.at("dead_letter_queue"), "named here first"),),
            )


RULE = Rule(
    code="E214",
    title="`dead_letter_queue` is the queue of another",
    why="What has failed for good would be taken up again at once, fail again, and go round for ever.",
    bad="""\
version: 1
project: shop
workloads:
  import:
    trigger: manual
    duration: {max: 40s}
    dead_letter_queue: import # <-- E214
""",
    good="""\
version: 1
project: shop
workloads:
  import:
    trigger: manual
    duration: {max: 40s}
    dead_letter_queue: import_failed
""",
    check=check,
)
