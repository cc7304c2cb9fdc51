"""Back to a pristine database, without recreating it: cron's launcher stays connected to it."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

FIRST_USER_OID = 16384  # everything that initdb made is below
# Tables; a drop takes several locks for each, and the lock table has its default size.
DROPS_PER_TRANSACTION = 200

_OTHER_CLIENTS = """
    select pg_terminate_backend(pid, 5000)
      from pg_stat_activity
     where pid <> pg_backend_pid() and backend_type in ('client backend', 'pg_cron', 'parallel worker')
"""
_USER_SCHEMAS = """
    select nspname from pg_namespace
     where nspname !~ '^pg_' and nspname <> 'information_schema'
"""
_MANY_TABLES = """
    select c.oid::regclass::text
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition
       and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and
       d.deptype = 'e')
"""


def reset(dsn: str) -> None:
    """Drop whatever a test may have made in the server of `dsn`, and end its connections."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "set client_min_messages = error; set lock_timeout = '20s'; set statement_timeout = '60s'"
        )
        _stop_jobs(connection)
        connection.execute(_OTHER_CLIENTS)
        _drop_databases(connection)
        _drop_objects(connection)
        _drop_roles(connection)


def _names(connection: psycopg.Connection[Any], query: str, *params: Any) -> list[str]:
    return [row[0] for row in connection.execute(query, params or None)]


def _drop(connection: psycopg.Connection[Any], statement: str, names: list[str]) -> None:
    for name in names:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))  # type: ignore[arg-type]


def _stop_jobs(connection: psycopg.Connection[Any]) -> None:
    # Before the roles go: a job whose owner is gone makes pg_cron's launcher crash again and again.
    if connection.execute("select to_regclass('cron.job')").fetchone() != (None,):
        connection.execute("delete from cron.job")


def _drop_databases(connection: psycopg.Connection[Any]) -> None:
    others = _names(connection, "select datname from pg_database where oid >= %s", FIRST_USER_OID)
    _drop(connection, "drop database {} with (force)", others)


def _drop_objects(connection: psycopg.Connection[Any]) -> None:
    _drop(connection, "drop event trigger {}", _names(connection, "select evtname from pg_event_trigger"))
    _drop(connection, "drop publication {}", _names(connection, "select pubname from pg_publication"))
    extensions = _names(connection, "select extname from pg_extension where extname <> 'plpgsql'")
    _drop(connection, "drop extension if exists {} cascade", extensions)
    tables = _names(connection, _MANY_TABLES)
    while len(tables) > DROPS_PER_TRANSACTION:
        some, tables = tables[:DROPS_PER_TRANSACTION], tables[DROPS_PER_TRANSACTION:]
        connection.execute(f"drop table {', '.join(some)} cascade")
    _drop(connection, "drop schema {} cascade", _names(connection, _USER_SCHEMAS))
    connection.execute("create schema public authorization pg_database_owner")
    connection.execute("grant usage on schema public to public")
    connection.execute("comment on schema public is 'standard public schema'")
    connection.execute("select lo_unlink(oid) from pg_largeobject_metadata")
    database = connection.info.dbname
    if connection.execute("select 1 from pg_db_role_setting").fetchone():
        connection.execute(sql.SQL("alter database {} reset all").format(sql.Identifier(database)))
        connection.execute("alter role postgres reset all")
    # A test may have narrowed who connects to or creates in the database.
    connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))
    connection.execute(
        sql.SQL("grant connect, temporary on database {} to public").format(sql.Identifier(database))
    )


def _drop_roles(connection: psycopg.Connection[Any]) -> None:
    roles = _names(connection, "select rolname from pg_roles where oid >= %s", FIRST_USER_OID)
    if roles:
        _drop(connection, "drop owned by {} cascade", roles)
        _drop(connection, "drop role {}", roles)
