"""A lease that is over before it can be renewed."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration

_LEAST_MS = 5_000


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        w = j.workload
        if w.visibility_timeout_ms < _LEAST_MS:
            yield Finding(
                facts.origin(w, "visibility_timeout"),
                f"a lease of {yaml_duration(w.visibility_timeout_ms)} leaves no time to renew it",
                f"Write {yaml_duration(_LEAST_MS)} or more, or remove it: the default is the timeout and 30 s.",
            )


RULE = Rule(
    code="E303",
    title="The lease is too short to be renewed",
    why=(
        "A pause of a second or two, for a slow connection or a lock, and another worker takes what is still "
        "being worked on."
    ),
    bad="""\
version: 1
project: shop
workloads:
  relay:
    trigger: manual
    duration: {max: 1s}
    visibility_timeout: 3s # <-- E303
""",
    good="""\
version: 1
project: shop
workloads:
  relay:
    trigger: manual
    duration: {max: 1s}
    visibility_timeout: 30s
""",
    check=check,
)
