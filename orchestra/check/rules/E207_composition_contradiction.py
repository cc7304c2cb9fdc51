"""A place in the order that cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    order = facts.spec.composition
    for key, names in (("after", order.after), ("before", order.before)):
        for i, name in enumerate(names):
            if name == facts.spec.project:
                yield Finding(
                    facts.spec.at(f"composition.{key}.{i}"),
                    f"`{name}` is this very project",
                    f"Take it out of `{key}`.",
                )
            elif key == "before" and name in order.after:
                yield Finding(
                    facts.spec.at(f"composition.{key}.{i}"),
                    f"`{name}` is to come both before and after this project",
                    "Keep it in one of the two lists.",
                )


RULE = Rule(
    code="E207",
    title="`composition` contradicts itself",
    why=(
        "Specs that are applied together are ordered by these names; this order does not exist, so nothing "
        "would be applied."
    ),
    bad="""\
version: 1
project: shop
composition:
  after: [database-schema, shop] # <-- E207
""",
    good="""\
version: 1
project: shop
composition:
  after: [database-schema]
""",
    check=check,
)
