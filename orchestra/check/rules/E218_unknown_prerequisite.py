"""A prerequisite that can be neither a check nor a project."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import did_you_mean

_PROJECT = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")


def check(facts: Facts) -> Iterator[Finding]:
    order = facts.spec.composition
    checks = {r.name for r in facts.spec.requires}
    for key, names, known in (("after", order.after, checks), ("before", order.before, set[str]())):
        for i, name in enumerate(names):
            if name not in known and not (len(name) <= 30 and _PROJECT.match(name)):
                yield Finding(
                    facts.spec.at(f"composition.{key}.{i}"),
                    f"`{name}` is no `requires` check and cannot be the name of a project",
                    did_you_mean(
                        name, known, "Projects are named in lower case, with digits and single hyphens."
                    ),
                )


RULE = Rule(
    code="E218",
    title="`composition` names what can be neither a check nor a project",
    why="`after` blocks until what it names is in place; what nothing can be called blocks every apply.",
    bad="""\
version: 1
project: shop
composition:
  after: [Database Schema] # <-- E218
""",
    good="""\
version: 1
project: shop
composition:
  after: [database-schema]
""",
    check=check,
)
