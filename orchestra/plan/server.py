"""What a server lacks for background work, in words: each fact once, for the plan that it blocks and for doctor."""

from __future__ import annotations

from typing import Final, NamedTuple

from orchestra.live.model import ServerFacts

_UTC: Final = frozenset({"GMT", "UTC", "Etc/UTC", "Etc/GMT", "UCT", "Zulu", ""})


class Fault(NamedTuple):
    """`code` is that of the blocker."""

    code: str
    message: str
    remedy: str


def cannot_create(server: ServerFacts, extension: str) -> Fault | None:
    """Why pg_cron, pg_net or supabase_vault cannot be made here."""
    if extension == "pg_cron" and server.pg_cron is None and server.pg_cron_default is None:
        return Fault(
            "no_pg_cron",
            "this server has no pg_cron to create",
            "install pg_cron and add it to shared_preload_libraries (on Supabase: enable it under Integrations)",
        )
    if extension in ("pg_net", "supabase_vault") and extension not in server.available:
        return Fault(
            f"no_{extension}",
            f"this server has no {extension} to create, and Edge Functions are called through it",
            "enable it (on Supabase: Database, Extensions), or give the work to SQL handlers (run: {sql: …})",
        )
    return None


def cron_elsewhere(server: ServerFacts) -> Fault | None:
    if server.cron_database in (None, "", server.database):
        return None
    return Fault(
        "cron_database",
        f"pg_cron runs in database {server.cron_database} only, and this is {server.database}",
        f"connect to {server.cron_database}, or set cron.database_name = '{server.database}'",
    )


def cron_timezone(server: ServerFacts) -> Fault | None:
    if (server.cron_timezone or "") in _UTC:
        return None
    return Fault(
        "cron_timezone",
        f"this server reads schedules in {server.cron_timezone}; they are compiled for UTC",
        "set cron.timezone = 'GMT', and give a schedule its own timezone in the spec",
    )
