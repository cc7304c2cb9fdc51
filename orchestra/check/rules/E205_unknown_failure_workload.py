"""`on_failure` names a workload that the spec does not have."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import did_you_mean


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.workloads:
        target = w.on_failure
        if target is None or target in facts.spec.broken:
            continue
        if target not in facts.by_name:
            others = [name for name in facts.by_name if name != w.name]
            yield Finding(
                w.at("on_failure"),
                f"there is no workload `{target}`",
                did_you_mean(target, others, "Name a workload of this spec, or remove the key."),
            )
        elif facts.by_name[target].pattern not in ("queue", None):
            yield Finding(
                w.at("on_failure"),
                f"`{target}` takes no messages: it runs as {facts.by_name[target].pattern}",
                f"Write `pattern: queue` in `{target}`, or name a workload with a queue.",
            )


RULE = Rule(
    code="E205",
    title="`on_failure` names no workload",
    why="What has failed for good would have nowhere to go, just when someone relies on it.",
    bad="""\
version: 1
project: shop
workloads:
  import:
    trigger: manual
    duration: {max: 40s}
    on_failure: tell-opps # <-- E205
  tell-ops:
    trigger: manual
    duration: {max: 10s}
""",
    good="""\
version: 1
project: shop
workloads:
  import:
    trigger: manual
    duration: {max: 40s}
    on_failure: tell-ops
  tell-ops:
    trigger: manual
    duration: {max: 10s}
""",
    check=check,
)
