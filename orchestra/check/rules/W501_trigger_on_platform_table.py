"""A trigger on a table of Supabase's."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule

_PLATFORM = frozenset({"auth", "storage"})


def check(facts: Facts) -> Iterator[Finding]:
    if facts.spec.platform.provider != "supabase":
        return
    for w, t in facts.tables:
        if t.schema in _PLATFORM:
            yield Finding(
                w.at(f"{t.path}.name"),
                f"`{t.schema}.{t.table}` belongs to Supabase",
                "Put the trigger on a table of the app that is written in the same transaction, if there is one.",
            )


RULE = Rule(
    code="W501",
    title="A table trigger on a table of the platform",
    why=(
        "The platform changes these tables in its own upgrades, and a trigger there cannot be dropped again "
        "by a role that does not own them; an error in it blocks sign-up or upload."
    ),
    bad="""\
version: 1
project: shop
workloads:
  welcome:
    trigger: {table: {name: auth.users, on: [insert]}} # <-- W501
    duration: {max: 20s}
""",
    good="""\
version: 1
project: shop
workloads:
  welcome:
    trigger: {table: {name: public.profiles, on: [insert]}}
    duration: {max: 20s}
""",
    check=check,
)
