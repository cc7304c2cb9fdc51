"""An HTTP door where nothing listens."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.spec.model import HttpTrigger


def check(facts: Facts) -> Iterator[Finding]:
    if facts.spec.platform.provider == "supabase":
        return
    for w in facts.workloads:
        for t in w.triggers:
            if isinstance(t, HttpTrigger):
                yield Finding(
                    w.at(t.path),
                    "`provider: postgres` has no function that could take requests",
                    f"Write `trigger: manual`, and enqueue with `select orchestra.send('{w.name}', …)`.",
                )


RULE = Rule(
    code="E324",
    title="An `http` trigger on plain Postgres",
    why=(
        "HTTP requests are taken by an Edge Function; on plain Postgres there is none, and no address to "
        "call."
    ),
    bad="""\
version: 1
project: shop
platform: {provider: postgres}
workloads:
  relay:
    trigger: {http: {auth: secret}} # <-- E324
    duration: {max: 10s}
    run: {sql: "select app.relay(:payload)"}
    payload_schema: ./payloads/product.json
""",
    good="""\
version: 1
project: shop
platform: {provider: postgres}
workloads:
  relay:
    trigger: manual
    duration: {max: 10s}
    run: {sql: "select app.relay(:payload)"}
""",
    check=check,
)
