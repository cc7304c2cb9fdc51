"""A Supabase project that cannot be the environment's."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.diagnostics import Label, Span


def check(facts: Facts) -> Iterator[Finding]:
    named = [
        (facts.spec.at(f"environments.{e.name}.project_ref"), e.name, e.project_ref)
        for e in facts.spec.environments
        if e.project_ref is not None
    ]
    first = dict[str, tuple[str, Span]]()
    for span, name, ref in sorted(named):
        if facts.spec.platform.provider != "supabase":
            yield Finding(
                span,
                "`project_ref` is of Supabase, and the provider is `postgres`",
                "Take it out, or write `platform: {provider: supabase}`.",
                "No connection to another server tells a project of Supabase, so it could never be proved.",
            )
        elif ref in first:
            other, place = first[ref]
            yield Finding(
                span,
                f"`{name}` is the same Supabase project as `{other}`",
                "Give each environment a project, or a branch, of its own.",
                labels=(Label(place, "first used here"),),
            )
        else:
            first[ref] = name, span


RULE = Rule(
    code="E221",
    title="`project_ref` cannot be right",
    why=(
        "Two environments of one project have one database: whoever applies the one changes the other, and a preview "
        "would pause or delete what production runs on."
    ),
    bad="""\
version: 1
project: shop
environments:
  production: {database: {env: PROD_DATABASE_URL}, project_ref: abcdefghijklmnopqrst}
  staging: {database: {env: STAGING_DATABASE_URL}, project_ref: abcdefghijklmnopqrst} # <-- E221
""",
    good="""\
version: 1
project: shop
environments:
  production: {database: {env: PROD_DATABASE_URL}, project_ref: abcdefghijklmnopqrst}
  staging: {database: {env: STAGING_DATABASE_URL}, project_ref: zyxwvutsrqponmlkjihg}
""",
    check=check,
)
