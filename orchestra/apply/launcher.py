"""pg_cron's launcher hears of changed jobs by a message from the server. A transaction that changes as much as a first
apply does sends so many that they are thrown away for whoever has not read them yet, and pg_cron does not look again:
it would not know the new jobs, and go on with the old, until a job changes the next time. So one does."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Final

import psycopg

from orchestra.live.connect import Database
from orchestra.plan.model import Plan

_PASS_S: Final = 1.2
"""The launcher reads its messages at least once a second; what comes before that is thrown away with the others."""
_MANY: Final = 200
"""Changes that may send more messages than the server keeps (4096)."""
_LISTENS: Final = """
    select exists (
      select from pg_catalog.pg_proc p
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname = 'cron'
      join pg_catalog.pg_language l on l.oid = p.prolang and l.lanname = 'c'
      where p.proname = 'schedule'
    ) and not exists (
      select from pg_catalog.pg_settings s where s.name = 'cron.launch_active_jobs' and s.setting = 'off'
    ) as listens
"""
_TOUCH: Final = "select cron.unschedule(cron.schedule('orchestra:launcher', '0 0 1 1 *', 'select 1'))"


def remind(database: Database, plan: Plan) -> None:
    """After the commit of a plan that changed jobs beside much else. What fails here fails nobody."""
    kinds = {change.address.kind for change in plan.changes}
    if "cron_job" not in kinds or not ({"runtime", "extension"} & kinds or len(plan.changes) >= _MANY):
        return
    with suppress(psycopg.Error):
        if database.rows(_LISTENS)[0]["listens"]:
            time.sleep(_PASS_S)
            database.rows(_TOUCH)
