"""What pg_cron 1.4 on PostgreSQL 15 has and has not."""

from __future__ import annotations

import pytest
from cron_cases import SECONDS
from engines import Engine
from psycopg import errors


def test_it_refuses_schedules_in_seconds(pg15: Engine) -> None:
    pg15.execute("create extension pg_cron")
    for schedule in SECONDS:
        with pytest.raises(errors.InvalidParameterValue, match=f"^invalid schedule: {schedule}"):
            pg15.execute("select cron.schedule('job', %s, 'select 1')", [schedule])
    assert not pg15.has_seconds


def test_it_does_not_know_the_last_day_of_the_month(pg15: Engine) -> None:
    pg15.execute("create extension pg_cron")
    with pytest.raises(errors.InvalidParameterValue):
        pg15.execute("select cron.schedule('job', '0 0 $ * *', 'select 1')")


def test_it_has_named_jobs_alter_job_and_run_details(pg15: Engine) -> None:
    pg15.execute("create extension pg_cron")
    assert pg15.execute("select extversion from pg_extension where extname = 'pg_cron'") == [
        (pg15.cron_version,)
    ]
    first = pg15.execute("select cron.schedule('job', '* * * * *', 'select 1')")[0][0]
    assert pg15.execute("select cron.schedule('job', '0 * * * *', 'select 2')") == [(first,)]
    pg15.execute("select cron.alter_job(%s, active => false)", [first])
    assert pg15.execute("select schedule, active from cron.job") == [("0 * * * *", False)]
    assert pg15.execute("select cron.unschedule('job')") == [(True,)]
    assert pg15.execute("select count(*) from cron.job_run_details") == [(0,)]


def test_job_names_are_of_type_name_and_cut_at_63_bytes(pg15: Engine) -> None:
    pg15.execute("create extension pg_cron")
    kind = """
        select atttypid::regtype::text from pg_attribute
         where attrelid = 'cron.job'::regclass and attname = 'jobname'
    """
    assert pg15.execute(kind) == [("name",)]


def test_it_has_no_time_zone_of_its_own(pg15: Engine) -> None:
    assert pg15.execute("select current_setting('cron.timezone', true)") == [(None,)]
