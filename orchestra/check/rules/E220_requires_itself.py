"""A requirement that the project must exist before itself."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for r in facts.spec.requires:
        if r.project == facts.spec.project:
            yield Finding(
                r.source.at("project"),
                f"`{r.project}` is this very project",
                "Take it out: `requires` is about what has to be there before this spec is applied.",
            )


RULE = Rule(
    code="E220",
    title="`requires` names the project itself",
    why="A requirement is proved before anything changes, so this one could not hold at the first apply.",
    bad="""\
version: 1
project: shop
requires:
  - {project: shop} # <-- E220
""",
    good="""\
version: 1
project: shop
requires:
  - {project: billing}
""",
    check=check,
)
