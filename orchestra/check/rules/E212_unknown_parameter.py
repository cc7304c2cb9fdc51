"""A handler uses a parameter that there is not."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import did_you_mean
from orchestra.sql import PARAMETERS


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        for unknown in sql.bound.unknown:
            named = unknown.text.lstrip(":")
            yield Finding(
                sql.at(unknown.offset),
                f"there is no parameter `{unknown.text}`",
                did_you_mean(
                    named.lower(), PARAMETERS, "There are :payload ($1), :attempt ($2) and :message_id ($3)."
                ).replace("`", "`:", 1),
            )


RULE = Rule(
    code="E212",
    title="A SQL handler uses a parameter that does not exist",
    why=(
        "The statement fails at every message, and each one spends its attempts and ends in the dead letters."
    ),
    bad="""\
version: 1
project: shop
workloads:
  refresh:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select app.refresh(:paylod)"} # <-- E212
""",
    good="""\
version: 1
project: shop
workloads:
  refresh:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select app.refresh(:payload)"}
""",
    check=check,
)
