"""A secret that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.spec.model import Hmac

_OURS = ("function_", "worker_")


def check(facts: Facts) -> Iterator[Finding]:
    used = {t.auth.secret for _, t in facts.http if isinstance(t.auth, Hmac)}
    for secret in facts.spec.secrets:
        if secret.name in used or secret.name.startswith(_OURS):
            continue
        if not any(secret.vault in sql.handler.sql for sql in facts.sql):
            yield Finding(
                facts.spec.at(f"secrets.{secret.name}", key=True),
                f"nothing uses the secret `{secret.name}`",
                "Remove it, or say in an ignore comment which handler reads it.",
            )


RULE = Rule(
    code="W201",
    title="A secret is declared and not used",
    why=(
        "Every apply demands that it is in Vault, and every new environment is set up with a secret that "
        "nobody needs."
    ),
    bad="""\
version: 1
project: shop
secrets:
  old_webhook: {vault: old_webhook_secret} # <-- W201
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
