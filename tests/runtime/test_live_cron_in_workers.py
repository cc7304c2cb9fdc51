"""What cron runs, once more where that runs in background workers of the server and not on connections: pg_cron with
`cron.use_background_workers = on`."""

from __future__ import annotations

from runtime.runtime_db import RuntimeDb
from runtime.test_live_cron import (
    job,
    jobs,
    test_a_message_is_taken_at_a_poll,
    test_cron_drains_fires_ticks_and_keeps_house,
    test_the_gate_stops_all_jobs_while_they_stay_active,
)

__all__ = [
    "jobs",
    "test_a_message_is_taken_at_a_poll",
    "test_cron_drains_fires_ticks_and_keeps_house",
    "test_the_gate_stops_all_jobs_while_they_stay_active",
]

ENGINES = ("pg17",)
SETTINGS = {"cron.use_background_workers": "on", "max_worker_processes": "20"}


def test_its_jobs_have_no_connection(db: RuntimeDb) -> None:
    """Or the tests beside this one would show nothing."""
    db.run("create table public.ran (as_what text, client text)")
    job(
        db,
        "insert into public.ran select backend_type, host(client_addr) from pg_stat_activity "
        "where pid = pg_backend_pid()",
    )
    db.wait_for("select exists (select from public.ran)")
    assert db.rows("select distinct as_what, client from public.ran") == [("pg_cron", None)]
