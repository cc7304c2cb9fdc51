"""A setting like a hosted Supabase project's: no superuser, the platform's extensions, its API roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from engines.engine import Engine

ROLE = "postgres_like"

# `postgres` of a hosted project is no superuser; it may create roles and databases and bypasses row security.
_ROLES = f"""
    create role anon nologin noinherit;
    create role authenticated nologin noinherit;
    create role service_role nologin noinherit bypassrls;
    create role {ROLE} login createrole createdb replication bypassrls in role pg_monitor;
    grant anon, authenticated, service_role to {ROLE};
    grant create, connect, temporary on database postgres to {ROLE};
    grant all on schema public to {ROLE};
    grant usage on schema public to anon, authenticated, service_role;
"""

# As the hosted platform grants after `create extension pg_cron`.
_CRON = f"""
    create extension pg_cron;
    grant usage on schema cron to {ROLE} with grant option;
    grant all on all functions in schema cron to {ROLE} with grant option;
    revoke all on table cron.job from {ROLE};
    grant select on table cron.job to {ROLE} with grant option;
    grant select, delete on table cron.job_run_details to {ROLE} with grant option;
"""

# The extension belongs to the platform; its schema and all in it were given to the project's role.
_PGMQ = f"""
    grant all on schema pgmq to {ROLE} with grant option;
    grant all on all tables in schema pgmq to {ROLE} with grant option;
    grant all on all sequences in schema pgmq to {ROLE} with grant option;
    grant all on all routines in schema pgmq to {ROLE} with grant option;
    alter default privileges in schema pgmq grant all on tables to {ROLE};
"""


# pg_net lets everybody enqueue and read; Vault gives its view and its functions to the project's role.
_CALLS = f"""
    create extension pg_net;
    create extension supabase_vault cascade;
    grant usage on schema vault to {ROLE} with grant option;
    grant select, delete on vault.secrets, vault.decrypted_secrets to {ROLE} with grant option;
    grant execute on all functions in schema vault to {ROLE} with grant option;
"""


@dataclass(frozen=True)
class Hosted:
    """The setting that was made."""

    dsn: str  # as the project's role
    role: str = ROLE


def make(engine: Engine, *, pgmq: bool, cron: bool, calls: bool = False) -> Hosted:
    """Make the roles, and the extensions with the grants that the platform gives.

    pgmq is an extension on `embedded` and the official SQL-only install on the real servers, which have no
    package of it; its tables then belong to the project's role, because a superuser's cannot be handed to it
    by grants alone.
    """
    with psycopg.connect(engine.dsn, autocommit=True) as connection:
        connection.execute(_ROLES)
        if cron:
            connection.execute(_CRON)
        if calls:
            connection.execute(_CALLS)
        if pgmq and engine.is_embedded:
            connection.execute("create extension pgmq")
            connection.execute(_PGMQ)
    if pgmq and not engine.is_embedded:
        install_pgmq(engine, user=ROLE)
    return Hosted(engine.url(user=ROLE))


def install_pgmq(engine: Engine, *, user: str = "postgres") -> None:
    """The official SQL-only install, as `user`."""
    from importlib.resources import files

    script = (files("pgmq") / "sql" / "pgmq.sql").read_text(encoding="utf-8")
    engine.psql(script, user=user)
