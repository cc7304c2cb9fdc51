"""A webhook is verified with a secret that the spec does not declare."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import did_you_mean
from orchestra.spec.model import Hmac


def check(facts: Facts) -> Iterator[Finding]:
    declared = {s.name for s in facts.spec.secrets}
    for w, t in facts.http:
        if isinstance(t.auth, Hmac) and t.auth.secret not in declared:
            name = t.auth.secret
            yield Finding(
                w.at(f"{t.path}.auth.hmac.secret"),
                f"the secret `{name}` is not declared",
                did_you_mean(name, declared, f"Declare it: `secrets: {{{name}: {{vault: {name}}}}}`."),
            )


RULE = Rule(
    code="E204",
    title="A secret that is used is not declared",
    why=(
        "Without its name in Vault the function cannot verify a signature, and answers 401 to every webhook."
    ),
    bad="""\
version: 1
project: shop
secrets:
  github_webhook: {vault: github_webhook_secret}
workloads:
  on-push:
    trigger:
      http: {auth: {hmac: {header: X-Hub-Signature-256, secret: github_hook, scheme: github}}} # <-- E204
    duration: {max: 10s}
""",
    good="""\
version: 1
project: shop
secrets:
  github_webhook: {vault: github_webhook_secret}
workloads:
  on-push:
    trigger:
      http: {auth: {hmac: {header: X-Hub-Signature-256, secret: github_webhook, scheme: github}}}
    duration: {max: 10s}
""",
    check=check,
)
