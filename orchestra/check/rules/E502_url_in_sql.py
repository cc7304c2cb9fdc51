"""An address in the text of a statement."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.leaks import texts, urls
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for text in texts(facts):
        for url, offset in urls(text.sql):
            yield Finding(
                text.at(offset),
                f"the statement holds the URL `{url}`",
                "Read it from a table or from Vault, which each environment fills by itself.",
            )


RULE = Rule(
    code="E502",
    title="SQL holds a URL",
    why="The same text runs in every environment: a preview would call production's address.",
    bad="""\
version: 1
project: shop
workloads:
  relay:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select app.call('https://api.example.com/v1', :payload)"} # <-- E502
""",
    good="""\
version: 1
project: shop
workloads:
  relay:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select app.call(s.url, :payload) from app.settings s where s.name = 'api'"}
""",
    check=check,
    judgement=True,
)
