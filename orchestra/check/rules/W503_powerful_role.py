"""A handler that may do anything."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule

_POWERFUL = frozenset(
    {
        "azure_pg_admin",
        "cloudsqlsuperuser",
        "postgres",
        "rds_superuser",
        "root",
        "service_role",
        "supabase_admin",
    }
)


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        role = sql.handler.role
        if role is not None and role.lower() in _POWERFUL:
            own = f"{sql.path}.role" in sql.workload.written
            yield Finding(
                sql.at(key="role") if own else facts.spec.at("defaults.run.role"),
                f"`{role}` may do anything that the statement asks for",
                "Make a role with the rights that the work needs, and name it: `role: app_worker`.",
            )


RULE = Rule(
    code="W503",
    title="A SQL handler runs as a powerful role",
    why=(
        "A role that bypasses row security or owns the schema turns every mistake in the statement into one "
        "that touches all rows."
    ),
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select app.purge(:payload)", role: service_role} # <-- W503
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select app.purge(:payload)", role: app_worker}
""",
    check=check,
)
