"""A secret in the text of a statement."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.leaks import secrets, texts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    for text in texts(facts):
        for what, offset in secrets(text.sql):
            yield Finding(
                text.at(offset),
                f"the statement holds what looks like {what}",
                "Store it in Vault, read it there (`select decrypted_secret from vault.decrypted_secrets where name "
                "= '…'`), and replace the one that was written down.",
            )


RULE = Rule(
    code="E501",
    title="SQL holds a secret",
    why=(
        "The spec is in a repository, and the statement is readable in cron.job, in logs and in "
        "pg_stat_statements; a secret that was there has to be replaced."
    ),
    bad="""\
version: 1
project: shop
workloads:
  relay:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select app.call(:payload, 'sb_secret_abcdefgh12345678')"} # <-- E501
""",
    good="""\
version: 1
project: shop
workloads:
  relay:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select app.call(:payload, v.decrypted_secret) from vault.decrypted_secrets v where v.name = 'relay'"}
""",
    check=check,
)
