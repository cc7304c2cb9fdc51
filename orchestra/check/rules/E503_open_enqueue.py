"""A queue that anyone can fill, or runs that anyone can follow."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule

_ANYONE = {"anon": "everyone with the public key", "public": "every role of the database"}


def check(facts: Facts) -> Iterator[Finding]:
    for w in facts.workloads:
        for i, role in enumerate(w.access.enqueue):
            if role.lower() in _ANYONE:
                yield Finding(
                    w.at(f"access.enqueue.{i}"),
                    f"`{role}` is {_ANYONE[role.lower()]}",
                    "Write `authenticated`, or let an HTTP trigger or a function of yours decide who may.",
                )
        for i, role in enumerate(w.access.progress):
            if role.lower() in _ANYONE:
                yield Finding(
                    w.at(f"access.progress.{i}"),
                    f"`{role}` is {_ANYONE[role.lower()]}",
                    "Write `authenticated`: signed-in users have a name of their own.",
                    "Callers without a name cannot be told apart, so none of them is shown any run.",
                )


RULE = Rule(
    code="E503",
    title="`access` for everyone",
    why=(
        "Everybody who has the public key, which every browser has, can fill the queue and make you pay for "
        "the work."
    ),
    bad="""\
version: 1
project: shop
workloads:
  import:
    trigger: manual
    duration: {max: 40s}
    access: {enqueue: [anon]} # <-- E503
    payload_schema: ./payloads/product.json
""",
    good="""\
version: 1
project: shop
workloads:
  import:
    trigger: manual
    duration: {max: 40s}
    access: {enqueue: [authenticated]}
    payload_schema: ./payloads/product.json
""",
    check=check,
    judgement=True,
)
