"""A preview that works as if it were production."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule

# Staging and QA are meant to work; what is made for a branch or a pull request is not.
_PREVIEW = re.compile(
    r"(^|[-_])(preview|branch|pr|review|feature|ephemeral|dev|development|sandbox|ci)s?([-_0-9]|$)"
)


def check(facts: Facts) -> Iterator[Finding]:
    fires = any(not w.paused for w in facts.workloads)
    real = [e for e in facts.spec.environments if not _PREVIEW.search(e.name)]
    if not fires or not real:
        return
    for e in facts.spec.environments:
        if _PREVIEW.search(e.name) and not e.paused:
            yield Finding(
                facts.spec.at(f"environments.{e.name}", key=True),
                f"everything fires in `{e.name}` as it does in `{real[0].name}`",
                "Write `paused: true` there; `select orchestra.resume(…)` starts single workloads.",
            )


RULE = Rule(
    code="W504",
    title="A preview environment is not paused",
    why=(
        "A preview replays the same schedules and triggers: mails go out twice, and a purge runs on copied "
        "data."
    ),
    bad="""\
version: 1
project: shop
environments:
  production: {database: {env: PROD_DATABASE_URL}}
  preview: {database: {env: PREVIEW_DATABASE_URL}} # <-- W504
workloads:
  mails: {trigger: {schedule: {every: 1h}}, duration: {max: 20s}}
""",
    good="""\
version: 1
project: shop
environments:
  production: {database: {env: PROD_DATABASE_URL}}
  preview: {database: {env: PREVIEW_DATABASE_URL}, paused: true}
workloads:
  mails: {trigger: {schedule: {every: 1h}}, duration: {max: 20s}}
""",
    check=check,
)
