"""More calls a month than are included."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.classify import included_a_month
from orchestra.diagnostics import Label


def check(facts: Facts) -> Iterator[Finding]:
    included = included_a_month(facts.spec.platform)
    if included is None:
        return
    counts = [(j.invocations_month or 0.0, j.workload) for j in facts.judged]
    total = sum(count for count, _ in counts)
    if total <= included:
        return
    most = sorted(counts, key=lambda c: (-c[0], c[1].name))[:3]
    labels = tuple(Label(w.at("arrival", key=True), f"{n:,.0f} a month") for n, w in most if n > 0)
    plan = facts.spec.platform.plan
    yield Finding(
        facts.spec.at("platform.plan"),
        f"{total:,.0f} invocations a month are expected; the {plan} plan includes {included:,.0f}",
        "Send many items in one request (`fan_out`), enqueue from SQL, or choose a larger plan.",
        labels=labels,
    )


RULE = Rule(
    code="W310",
    title="The plan includes fewer invocations than are expected",
    why="What is above the plan's share is billed, or stops where a spending cap is set.",
    bad="""\
version: 1
project: shop
platform: {provider: supabase, plan: free} # <-- W310
workloads:
  relay:
    trigger: {http: {auth: secret}}
    duration: {max: 1s}
    arrival: {rate: 5/s}
""",
    good="""\
version: 1
project: shop
platform: {provider: supabase, plan: free}
workloads:
  relay:
    trigger: {http: {auth: secret}}
    duration: {max: 1s}
    arrival: {rate: 5/m}
""",
    check=check,
)
