"""A prerequisite that looks like a mistyped check."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import near


def check(facts: Facts) -> Iterator[Finding]:
    checks = {r.name for r in facts.spec.requires}
    for i, name in enumerate(facts.spec.composition.after):
        match = near(name, checks) if name not in checks else None
        if match is not None:
            yield Finding(
                facts.spec.at(f"composition.after.{i}"),
                f"`{name}` is no `requires` check, and nearly `{match}`",
                f"Write `{match}`, or say in an ignore comment that `{name}` is a project.",
            )


RULE = Rule(
    code="W205",
    title="`composition.after` nearly names a `requires` check",
    why=("It is taken for the name of another project, and blocks until one of that name has been applied."),
    bad="""\
version: 1
project: shop
requires:
  - {name: orders-table, check: {relation: public.orders}}
composition:
  after: [order-table] # <-- W205
""",
    good="""\
version: 1
project: shop
requires:
  - {name: orders-table, check: {relation: public.orders}}
composition:
  after: [orders-table]
""",
    check=check,
)
