"""A door without a lock."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for w, t in facts.http:
        if t.auth == "none":
            yield Finding(
                w.at(f"{t.path}.auth"),
                f"anyone at all may start `{w.name}`",
                "Write `jwt` for signed-in users, `secret` for servers, or `hmac` for signed webhooks.",
            )


RULE = Rule(
    code="W502",
    title="An HTTP trigger lets anyone in",
    why="Anyone who finds the address can start the work, as often as they like.",
    bad="""\
version: 1
project: shop
workloads:
  relay:
    trigger: {http: {auth: none}} # <-- W502
    duration: {max: 10s}
""",
    good="""\
version: 1
project: shop
workloads:
  relay:
    trigger: {http: {auth: secret}}
    duration: {max: 10s}
""",
    check=check,
)
