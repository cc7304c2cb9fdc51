"""A lease that ends while its statement still runs."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import yaml_duration


def check(facts: Facts) -> Iterator[Finding]:
    for j in facts.queues:
        w = j.workload
        if j.sql and w.visibility_timeout_ms <= w.timeout_ms:
            lease, timeout = yaml_duration(w.visibility_timeout_ms), yaml_duration(w.timeout_ms)
            enough = yaml_duration(w.timeout_ms + 30_000)
            yield Finding(
                facts.origin(w, "visibility_timeout"),
                f"the lease of {lease} is not longer than the timeout of {timeout}",
                f"Write `visibility_timeout: {enough}`, or remove it: the default is the timeout and 30 s.",
            )


RULE = Rule(
    code="E302",
    title="The lease of a SQL handler is no longer than its timeout",
    why=(
        "Nothing can renew a lease while a statement runs: the message is handed out a second time and runs "
        "twice at once."
    ),
    bad="""\
version: 1
project: shop
workloads:
  refresh:
    trigger: manual
    duration: {max: 40s}
    visibility_timeout: 30s # <-- E302
    run: {sql: "select app.refresh(:payload)"}
""",
    good="""\
version: 1
project: shop
workloads:
  refresh:
    trigger: manual
    duration: {max: 40s}
    visibility_timeout: 70s
    run: {sql: "select app.refresh(:payload)"}
""",
    check=check,
)
