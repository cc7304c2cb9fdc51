"""A database that somebody made by hand, and importing it."""

from __future__ import annotations

from engines import Engine
from engines.supabase import install_pgmq

from orchestra import pipeline
from orchestra.importing import Imported, Options
from orchestra.live.connect import connect

SEED = """
    select pgmq.create('my_tasks');
    select pgmq.send('my_tasks', '{"action":"process","id":123}'::jsonb);
    select cron.schedule('consume-my-tasks', '0 0 1 1 *',
      $$SELECT pgmq.delete('my_tasks', msg_id)
        FROM pgmq.read('my_tasks', 30, 5) WHERE processed = true$$
    );
"""
"""The published sample, but once a year: nothing of it begins while a test looks."""


def extensions(engine: Engine, *, user: str = "postgres") -> None:
    engine.execute("create extension pg_cron")
    if engine.is_embedded:
        engine.execute("create extension pgmq")
    else:
        install_pgmq(engine, user=user)


def made_by_hand(engine: Engine, sql: str = "") -> None:
    """pgmq, pg_cron, and what `sql` makes."""
    extensions(engine)
    if sql:
        engine.psql(sql)


def job(engine: Engine, name: str | None, schedule: str, command: str) -> int:
    """Schedules a job as somebody does by hand; its id."""
    if name is None:
        return int(engine.execute("select cron.schedule(%s, %s)", [schedule, command])[0][0])
    return int(engine.execute("select cron.schedule(%s, %s, %s)", [name, schedule, command])[0][0])


def ran(engine: Engine, jobid: int, seconds: float, error: str = "") -> None:
    """Notes a run in pg_cron's history, as pg_cron does."""
    engine.execute(
        """
        insert into cron.job_run_details
          (jobid, runid, job_pid, database, username, command, status, return_message, start_time, end_time)
        select %s, coalesce(max(runid), 0) + 1, 1, 'postgres', 'postgres', '', %s, %s,
               now(), now() + make_interval(secs => %s)
        from cron.job_run_details
        """,
        [jobid, "failed" if error else "succeeded", error or "1 row", seconds],
    )


def imported(engine: Engine, options: Options | None = None, *, user: str = "postgres") -> Imported:
    database = connect(engine.url(user=user))
    try:
        return pipeline.import_database(database, options or Options())
    finally:
        database.close()


def above(found: Imported, workload: str) -> str:
    """The sentences that stand above a workload, in one line."""
    return " ".join(next(m for m in found.made if m.workload == workload).notes)


def why(found: Imported, what: str) -> str:
    """Why something was left out, and what could be done."""
    (item,) = (item for item in found.left_out if what in item.what)
    return f"{item.reason}. {item.hint}"
