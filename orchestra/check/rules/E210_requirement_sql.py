"""A check that is not one SELECT."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.sql import Inspection, inspect


def check(facts: Facts) -> Iterator[Finding]:
    for r in facts.spec.requires:
        if r.sql is None:
            continue
        fault = _fault(inspect(r.sql))
        if fault is not None:
            yield Finding(
                r.source.at("check.sql"),
                f"the check of `{r.name}` {fault}",
                "Write one SELECT that returns one boolean: `select count(*) = 1 from app.settings`.",
            )


def _fault(found: Inspection) -> str | None:
    if found.error is not None:
        return f"does not parse: {found.error}"
    if found.statements != 1:
        return f"holds {found.statements} statements"
    if found.kind != "SELECT":
        return f"is {found.kind}, not SELECT"
    if found.written:
        return f"writes to `{found.written[0]}`"
    return f"uses a parameter (${min(found.parameters)})" if found.parameters else None


RULE = Rule(
    code="E210",
    title="A `requires` check is not one SELECT",
    why=(
        "Requirements are proved by reading only, before anything changes; another statement is refused "
        "there, or worse, runs."
    ),
    bad="""\
version: 1
project: shop
requires:
  - name: settings
    check: {sql: "update app.settings set ready = true returning true"} # <-- E210
""",
    good="""\
version: 1
project: shop
requires:
  - name: settings
    check: {sql: "select ready from app.settings"}
""",
    check=check,
)
