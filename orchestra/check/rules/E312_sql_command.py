"""A command that a handler cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule

_RUNS = frozenset(
    {
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "CALL",
        "TRUNCATE",
        "REFRESH MATERIALIZED VIEW",
        "ANALYZE",
        "NOTIFY",
    }
)
_INSTEAD = {
    "DO": "Put the block into a function, and write `select app.my_function()`.",
    "VACUUM": "Leave it to autovacuum, or set its thresholds for this table: `alter table … set (autovacuum_…)`.",
    "SET": "Write `run.role` or `run.search_path`, or set it on a function that the handler calls.",
    "COPY": "Write INSERT … SELECT; there is no client that COPY could talk to.",
    "SELECT INTO": "Write INSERT INTO … SELECT into a table that a migration has made.",
    "LOCK": "Lock rows with SELECT … FOR UPDATE inside the statement.",
}
_CONTROL = frozenset({"BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "ROLLBACK TO"})


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        kind = sql.inspection.kind
        if sql.sound and kind not in _RUNS:
            yield Finding(sql.at(), f"{kind} cannot be a handler", _INSTEAD.get(kind) or _otherwise(kind))


def _otherwise(kind: str) -> str:
    if kind in _CONTROL:
        return "Remove it: each run is a transaction of its own already."
    if kind.startswith(("CREATE", "ALTER", "DROP")):
        return "Make the change in a migration; a handler works on rows."
    return "Write SELECT, INSERT, UPDATE, DELETE, MERGE or CALL."


RULE = Rule(
    code="E312",
    title="A SQL handler is a command that may not run there",
    why=(
        "It fails inside a transaction, changes the session for what runs next, or changes the schema behind "
        "the migrations' back."
    ),
    bad="""\
version: 1
project: shop
workloads:
  tidy:
    trigger: {schedule: {every: 1d}}
    duration: {max: 60s}
    run: {sql: "vacuum app.sessions"} # <-- E312
""",
    good="""\
version: 1
project: shop
workloads:
  tidy:
    trigger: {schedule: {every: 1d}}
    duration: {max: 60s}
    run: {sql: "analyze app.sessions"}
""",
    check=check,
)
