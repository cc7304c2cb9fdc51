"""What a first apply schedules begins to run, although it changes more than pg_cron can be told of at once."""

from __future__ import annotations

from engines import Engine
from engines.waiting import eventually

from apply.shop import Shop

SPEC = """\
workloads:
  tick:
    trigger: {schedule: {every: 1s}}
    duration: {max: 5s}
    run: {sql: "insert into public.tick default values"}
"""


def test_the_jobs_of_a_first_apply_run_at_once(pg17: Engine) -> None:
    pg17.psql("create extension pg_cron; create table public.tick (at timestamptz default now())")
    pg17.fresh_launcher()
    # A launcher that is busy reads its messages between two runs only.
    pg17.execute("select cron.schedule('busy', '1 second', 'select 1')")
    ran = "select count(*) > 1 from cron.job_run_details"
    eventually(lambda: pg17.execute(ran) == [(True,)], within=60, what="two runs of the job that was there")
    shop = Shop(pg17)
    shop.apply(SPEC)
    shop.close()
    ticked = "select count(*) > 1 from public.tick"
    eventually(lambda: pg17.execute(ticked) == [(True,)], within=60, what="two runs of the new job")
    assert pg17.execute("select count(*) from cron.job where jobname = 'orchestra:launcher'") == [(0,)]
