"""Two environments in one database."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.diagnostics import Label


def check(facts: Facts) -> Iterator[Finding]:
    # Environments are in the order of their names; the place that was written first keeps the variable.
    places = [
        (facts.spec.at(f"environments.{e.name}.{key}.env"), e, variable)
        for e in facts.spec.environments
        for key, variable in (("database", e.database_env), ("databases", e.databases_env))
        if variable is not None
    ]
    first = dict[str, tuple[str, Label]]()
    for span, e, variable in sorted(places, key=lambda place: place[0]):
        if variable not in first:
            first[variable] = e.name, Label(span, "first used here")
            continue
        other, label = first[variable]
        what = "has the same databases" if e.databases_env else "is the same database"
        more = "S" if e.databases_env else ""
        yield Finding(
            span,
            f"`{e.name}` {what} as `{other}`: both are `{variable}`",
            f"Give it a variable of its own, such as `{e.name.upper().replace('-', '_')}_DATABASE_URL{more}`.",
            labels=(label,),
        )


RULE = Rule(
    code="E208",
    title="Two environments use the same database",
    why=(
        "Whoever applies the one changes the other: a preview would pause, change or delete what production "
        "runs on."
    ),
    bad="""\
version: 1
project: shop
environments:
  production: {database: {env: DATABASE_URL}}
  preview: {database: {env: DATABASE_URL}, paused: true} # <-- E208
""",
    good="""\
version: 1
project: shop
environments:
  production: {database: {env: PROD_DATABASE_URL}}
  preview: {database: {env: PREVIEW_DATABASE_URL}, paused: true}
""",
    check=check,
)
