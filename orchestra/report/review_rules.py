"""What each stable code of a blocker, a hazard or a condition means, for SARIF and for the documentation."""

from __future__ import annotations

from typing import Final

RULES: Final = {
    "blocker/composition": "A project or a check that composition names is not there, or is there too early",
    "blocker/cron_database": "pg_cron runs in another database of this server",
    "blocker/cron_owner": "A cron job belongs to another role",
    "blocker/cron_seconds": "This pg_cron has no seconds schedules",
    "blocker/cron_timezone": "This server reads cron schedules in another timezone than UTC",
    "blocker/environment": "The database holds another environment of the project",
    "blocker/left_behind": "An adoption would leave a queue with messages behind",
    "blocker/no_headers": "The messages of this pgmq carry no headers, and a pipeline needs them",
    "blocker/no_pg_cron": "This server has no pg_cron",
    "blocker/no_pg_net": "This server has no pg_net",
    "blocker/no_supabase_vault": "This server has no Vault",
    "blocker/operator": "An operator would silently compare as another type under an empty search path",
    "blocker/other_address": "The object belongs to another address of this project",
    "blocker/other_project": "The object belongs to another project of this database",
    "blocker/project_ref": "The connection leads to another Supabase project than the one that is meant",
    "blocker/protected": "The workload or the project is protected",
    "blocker/required": "Another project of this database requires what would be removed",
    "blocker/role": "A role is missing, is another one, or may not do what is asked of it",
    "blocker/sql": "A handler's SQL does not work in this database",
    "blocker/table": "A table trigger's table is missing or not fit for it",
    "blocker/unowned": "The object exists and was not made by orchestra",
    "blocker/unsupported": "The spec uses a key that does not work yet",
    "hazard/contract": "Messages wait that were sent for the handler as it was",
    "hazard/delete": "Something is removed from the database",
    "hazard/fewer_attempts": "Waiting messages have had more attempts than will be allowed",
    "hazard/messages": "A queue is dropped with messages in it",
    "hazard/table_lock": "A lock on one of the app's tables waits for its writers",
    "hazard/unlogged": "An unlogged queue is emptied by a crash of the server",
    "hazard/unprotect": "Protection is lifted",
    "condition/composition": "A project that this one should precede is there already",
    "condition/foreign_job": "Another role has a cron job of the same name",
    "condition/linked_elsewhere": "supabase link points at another project than this database's",
    "condition/missing_secret": "A secret is missing in Vault",
    "condition/not_deployed": "The version of an Edge Function that the spec asks for is not deployed",
    "condition/paused_by_hand": "Something was paused by hand and stays so",
    "condition/project_ref": "The connection does not tell which Supabase project it leads to",
    "condition/resumed_by_hand": "Something was resumed by hand",
    "condition/unused_flag": "A flag had nothing to do",
    "drift": "The live object was changed outside orchestra since its last apply",
}


def title(rule: str) -> str:
    """The sentence for a rule; one that is newer than this list is named by its words."""
    family, _, code = rule.rpartition("/")
    return RULES.get(rule) or f"{family}: {code}".replace("_", " ").strip(": ")
