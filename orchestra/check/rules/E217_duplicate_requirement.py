"""Two requirements of one name."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    seen = set[str]()
    for r in facts.spec.requires:
        if r.name in seen:
            yield Finding(
                r.source.at("name"), f"another requirement is called `{r.name}`", "Give it another name."
            )
        seen.add(r.name)


RULE = Rule(
    code="E217",
    title="Two `requires` entries have the same name",
    why=(
        "`composition.after` and the plan name a requirement; with two of a name it is unclear which of them "
        "holds."
    ),
    bad="""\
version: 1
project: shop
requires:
  - {name: orders, check: {relation: public.orders}}
  - {name: orders, check: {relation: public.order_items}} # <-- E217
""",
    good="""\
version: 1
project: shop
requires:
  - {name: orders, check: {relation: public.orders}}
  - {name: order-items, check: {relation: public.order_items}}
""",
    check=check,
)
