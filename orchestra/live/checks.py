"""What the live catalogue says of the things that a spec speaks of: requirements, handlers, tables, roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from orchestra.ir.sql import literal
from orchestra.kinds.requirement import Requirement, condition
from orchestra.kinds.workload import Workload
from orchestra.kinds.workload.steps import Statement
from orchestra.live.connect import Database, first_line
from orchestra.live.model import Dependent, ForeignColumn, HandlerFault, Table

NO_TABLE: Final = "42P01"
PARAMETERS: Final = (3802, 23, 20)
"""Type oids of a handler's `$1 payload jsonb, $2 attempt int, $3 message_id bigint`."""


def failed_requirements(database: Database, requirements: Sequence[Requirement]) -> dict[str, str]:
    """The requirements that do not hold, by name, each with the reason. One round trip; 5 s for each check."""
    groups = [
        ("set local statement_timeout = '5s'", f"select ({condition(r)})::boolean") for r in requirements
    ]
    found: dict[str, str] = {}
    for requirement, (value, error) in zip(requirements, database.attempt(groups), strict=True):
        if error is not None:
            # Without orchestra's tables no project was ever applied: nothing that needs to be said in SQL's words.
            never = requirement.project is not None and error.diag.sqlstate == NO_TABLE
            found[requirement.key] = "" if never else first_line(error)
        elif value != "t":
            found[requirement.key] = ""
    return found


def handler_faults(database: Database, workloads: Iterable[Workload]) -> list[HandlerFault]:
    """Parses each SQL handler against the live catalogue under its own search path. One round trip."""
    wanted = [(w, statement) for w in workloads for statement in w.statements()]
    groups = [(_search_path(statement), statement.sql) for _, statement in wanted]
    return [
        HandlerFault(
            w.key,
            first_line(error),
            error.diag.sqlstate or "",
            int(error.diag.statement_position) if error.diag.statement_position else None,
            error.diag.message_hint or "",
            statement.step,
        )
        for (w, statement), error in zip(wanted, database.parse(groups, PARAMETERS), strict=True)
        if error is not None
    ]


def _search_path(statement: Statement) -> str:
    path = ", ".join('"' + s.replace('"', '""') + '"' for s in statement.search_path)
    return f"select pg_catalog.set_config('search_path', {literal(path)}, true)"


def tables(database: Database, names: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Table]:
    """Those of the tables that exist. One round trip."""
    if not names:
        return {}
    rows = database.rows(
        """
        select n.nspname, c.relname, c.relkind::text as kind,
               array(select a.attname::text from pg_catalog.pg_attribute a
                     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
               exists (select from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisprimary) as key,
               has_table_privilege(c.oid, 'trigger') as may
        from unnest(%(schemas)s::text[], %(tables)s::text[]) as w(schema_name, table_name)
        join pg_catalog.pg_namespace n on n.nspname = w.schema_name
        join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.table_name
        """,
        {"schemas": [s for s, _ in names], "tables": [t for _, t in names]},
    )
    return {
        (r["nspname"], r["relname"]): Table(r["kind"], frozenset(r["columns"]), r["key"], r["may"])
        for r in rows
    }


def roles(database: Database, names: Iterable[str]) -> dict[str, bool]:
    """The roles that exist, each with whether the connected role may act as it. One round trip."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    rows = database.rows(
        """
        select rolname::text as name, pg_has_role(current_user, oid, 'member') as member
        from pg_catalog.pg_roles where rolname = any(%(names)s)
        """,
        {"names": wanted},
    )
    return {r["name"]: r["member"] for r in rows}


def projects(database: Database) -> frozenset[str]:
    """The projects that are registered in this database. Needs `orchestra.project`."""
    return frozenset(r["project"] for r in database.rows("select project from orchestra.project"))


def dependents(database: Database, project: str) -> list[Dependent]:
    """Who requires something of a project, as their last apply recorded it. Needs `orchestra.registry`."""
    rows = database.rows(
        """
        select r.project, r.applied ->> 'workload' as workload, r.applied ->> 'queue' as queue
        from orchestra.registry r
        where r.kind = 'dependency' and r.tombstoned_at is null and r.project <> %(project)s
          and r.applied ->> 'on' = %(project)s
        order by r.project, r.address
        """,
        {"project": project},
    )
    return [
        Dependent(
            r["project"],
            "workload" if r["workload"] else "queue" if r["queue"] else "project",
            r["workload"] or r["queue"] or project,
        )
        for r in rows
    ]


def columns_with_own_operators(database: Database, tables: Sequence[tuple[str, str]]) -> list[ForeignColumn]:
    """Columns of types such as citext: under an empty search path their `=` is silently that of another type."""
    if not tables:
        return []
    rows = database.rows(
        """
        select n.nspname as schema, c.relname as "table", a.attname as "column", t.typname as type,
               tn.nspname as type_schema
        from unnest(%(schemas)s::text[], %(tables)s::text[]) as w(schema_name, table_name)
        join pg_catalog.pg_namespace n on n.nspname = w.schema_name
        join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.table_name
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        join pg_catalog.pg_type t on t.oid = a.atttypid and t.typtype = 'b'
        join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace and tn.nspname <> 'pg_catalog'
        where exists (
          select from pg_catalog.pg_operator o
          where o.oprname = '=' and o.oprleft = t.oid and o.oprnamespace = t.typnamespace
        )
        """,
        {"schemas": [s for s, _ in tables], "tables": [t for _, t in tables]},
    )
    return [ForeignColumn(**r) for r in rows]
