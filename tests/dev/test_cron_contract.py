"""One contract for the real pg_cron 1.6 and its stand-in: what these tests say holds for both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from cron_cases import REFUSED, TAKEN
from engines import Engine
from engines.waiting import eventually
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import errors

pytestmark = pytest.mark.engines("embedded", "pg17")

HINT = "Use cron format (e.g. 5 4 * * *), or interval format '[1-59] seconds'"


@pytest.fixture
def cron(engine: Engine) -> Engine:
    """The engine with pg_cron, and two roles that may schedule."""
    engine.execute("create extension pg_cron")
    engine.fresh_launcher()
    engine.psql(
        """
        create role alice login; create role bob login; create role no_login nologin;
        grant usage on schema cron to alice, bob;
        grant execute on all functions in schema cron to alice, bob;
        """
    )
    return engine


def fault(run: Callable[[], object]) -> tuple[str | None, str | None, str | None, str | None]:
    """SQLSTATE, message, detail and hint of the error that `run` ends in."""
    with pytest.raises(psycopg.Error) as caught:
        run()
    told = caught.value.diag
    return told.sqlstate, told.message_primary, told.message_detail, told.message_hint


# What the catalogue says


FUNCTIONS = {
    (
        "alter_job",
        "job_id bigint, schedule text DEFAULT NULL::text, command text DEFAULT NULL::text, "
        "database text DEFAULT NULL::text, username text DEFAULT NULL::text, "
        "active boolean DEFAULT NULL::boolean",
        "void",
        False,
        False,
    ),
    ("job_cache_invalidate", "", "trigger", False, True),
    ("schedule", "job_name text, schedule text, command text", "bigint", False, True),
    ("schedule", "schedule text, command text", "bigint", True, True),
    (
        "schedule_in_database",
        "job_name text, schedule text, command text, database text, "
        "username text DEFAULT NULL::text, active boolean DEFAULT true",
        "bigint",
        False,
        False,
    ),
    ("unschedule", "job_id bigint", "boolean", True, True),
    ("unschedule", "job_name text", "boolean", True, True),
}


def test_functions_have_the_known_signatures_and_grants(cron: Engine) -> None:
    """Name, arguments, result, strictness, and whether everybody may call it."""
    found = cron.execute(
        """
        select proname, pg_get_function_arguments(oid), pg_get_function_result(oid), proisstrict,
               has_function_privilege('no_login', oid, 'execute')
          from pg_proc where pronamespace = 'cron'::regnamespace and provolatile = 'v' and not prosecdef
        """
    )
    assert set(found) == FUNCTIONS
    assert len(found) == len(FUNCTIONS)


def test_tables_have_the_known_columns(cron: Engine) -> None:
    columns = cron.execute(
        """
        select relname, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
          from pg_class c join pg_attribute a on a.attrelid = c.oid
               left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
         where relnamespace = 'cron'::regnamespace and relkind = 'r' and attnum > 0 order by relname, attnum
        """
    )
    assert columns == [
        ("job", "jobid", "bigint", True, "nextval('cron.jobid_seq'::regclass)"),
        ("job", "schedule", "text", True, None),
        ("job", "command", "text", True, None),
        ("job", "nodename", "text", True, "'localhost'::text"),
        ("job", "nodeport", "integer", True, "inet_server_port()"),
        ("job", "database", "text", True, "current_database()"),
        ("job", "username", "text", True, "CURRENT_USER"),
        ("job", "active", "boolean", True, "true"),
        ("job", "jobname", "text", False, None),
        ("job_run_details", "jobid", "bigint", False, None),
        ("job_run_details", "runid", "bigint", True, "nextval('cron.runid_seq'::regclass)"),
        ("job_run_details", "job_pid", "integer", False, None),
        ("job_run_details", "database", "text", False, None),
        ("job_run_details", "username", "text", False, None),
        ("job_run_details", "command", "text", False, None),
        ("job_run_details", "status", "text", False, None),
        ("job_run_details", "return_message", "text", False, None),
        ("job_run_details", "start_time", "timestamp with time zone", False, None),
        ("job_run_details", "end_time", "timestamp with time zone", False, None),
    ]


def test_relations_policies_and_constraints_are_the_known_ones(cron: Engine) -> None:
    relations = cron.execute(
        """
        select relname, relkind, relrowsecurity, relacl::text
          from pg_class where relnamespace = 'cron'::regnamespace and relkind <> 'i' order by 1
        """
    )
    assert relations == [
        ("job", "r", True, "{postgres=arwdDxtm/postgres,=r/postgres}"),
        ("job_run_details", "r", True, "{postgres=arwdDxtm/postgres,=rd/postgres}"),
        ("jobid_seq", "S", False, "{postgres=rwU/postgres,=r/postgres}"),
        ("runid_seq", "S", False, "{postgres=rwU/postgres,=r/postgres}"),
    ]
    policies = (
        "select policyname, cmd, roles::text, qual, with_check from pg_policies where schemaname = 'cron'"
    )
    assert cron.execute(f"{policies} order by 1") == [
        ("cron_job_policy", "ALL", "{public}", "(username = CURRENT_USER)", None),
        ("cron_job_run_details_policy", "ALL", "{public}", "(username = CURRENT_USER)", None),
    ]
    constraints = cron.execute(
        """
        select conname, pg_get_constraintdef(oid) from pg_constraint
         where connamespace = 'cron'::regnamespace and contype <> 'n' order by 1
        """
    )
    assert constraints == [
        ("job_pkey", "PRIMARY KEY (jobid)"),
        ("job_run_details_pkey", "PRIMARY KEY (runid)"),
        ("jobname_username_uniq", "UNIQUE (jobname, username)"),
    ]


def test_the_extension_shows_as_on_a_real_server(cron: Engine) -> None:
    shown = cron.execute(
        """
        select extversion, extnamespace::regnamespace::text, extconfig::regclass[]::text
          from pg_extension where extname = 'pg_cron'
        """
    )
    tables = "{cron.job,cron.jobid_seq,cron.job_run_details,cron.runid_seq}"
    assert shown == [("1.6", "pg_catalog", tables)]
    wanted = ("cron.database_name", "cron.timezone", "cron.max_running_jobs", "cron.use_background_workers")
    said = [cron.execute("select current_setting(%s)", [name])[0][0] for name in wanted]
    assert said == ["postgres", "GMT", "32", "off"]


def test_dropping_the_extension_leaves_nothing(cron: Engine) -> None:
    cron.execute("drop extension pg_cron")
    assert cron.execute("select nspname from pg_namespace where nspname ~ '^cron'") == []


# Scheduling


def test_scheduling_a_name_again_keeps_the_job_and_its_active_flag(cron: Engine) -> None:
    first = cron.execute("select cron.schedule('job', '* * * * *', 'select 1')")[0][0]
    cron.execute("select cron.alter_job(%s, active => false)", [first])
    again = cron.execute("select cron.schedule('job', '0 * * * *', 'select 2')")[0][0]
    assert again == first
    jobs = cron.execute("select schedule, command, active, database, username from cron.job")
    assert jobs == [("0 * * * *", "select 2", False, "postgres", "postgres")]


def test_schedule_in_database_does_not_touch_the_active_flag_of_a_known_job(cron: Engine) -> None:
    schedule = "select cron.schedule_in_database('job', '* * * * *', 'select 1', 'postgres', null, %s)"
    first = cron.execute(schedule, [False])
    assert cron.execute(schedule, [True]) == first
    assert cron.execute("select active from cron.job") == [(False,)]


def test_the_same_name_of_another_role_is_another_job(cron: Engine) -> None:
    for role in ("alice", "bob", "alice"):
        cron.execute("select cron.schedule('job', '* * * * *', 'select 1')", user=role)
    assert cron.execute("select username from cron.job order by 1") == [("alice",), ("bob",)]


def test_a_call_without_a_name_always_adds_a_job(cron: Engine) -> None:
    for _ in range(2):
        cron.execute("select cron.schedule('* * * * *', 'select 1')")
    assert cron.execute("select count(*), count(jobname) from cron.job") == [(2, 0)]


def test_unscheduling_and_scheduling_gives_a_new_id(cron: Engine) -> None:
    first = cron.execute("select cron.schedule('job', '* * * * *', 'select 1')")[0][0]
    assert cron.execute("select cron.unschedule('job')") == [(True,)]
    assert cron.execute("select cron.schedule('job', '* * * * *', 'select 1')")[0][0] > first


def test_scheduling_is_transactional(cron: Engine) -> None:
    connection = cron.connect()
    connection.execute("select cron.schedule('job', '* * * * *', 'select 1')")
    assert cron.execute("select count(*) from cron.job") == [(0,)]
    connection.rollback()
    assert cron.execute("select count(*) from cron.job") == [(0,)]


def test_two_sessions_that_schedule_one_name_make_one_job(cron: Engine) -> None:
    first, second = cron.connect(), cron.connect()
    schedule = "select cron.schedule('job', '* * * * *', 'select 1')"
    [mine] = first.execute(schedule).fetchall()
    second.execute("set lock_timeout = '200ms'")
    with pytest.raises(errors.LockNotAvailable):
        second.execute(schedule)
    second.rollback()
    first.commit()
    assert second.execute(schedule).fetchall() == [mine]
    second.commit()
    assert cron.execute("select count(*) from cron.job") == [(1,)]


def test_commands_are_not_looked_at(cron: Engine) -> None:
    cron.execute("select cron.schedule('job', '* * * * *', 'no such; statement')")
    assert cron.execute("select command from cron.job") == [("no such; statement",)]


def test_alter_job_changes_what_is_named_and_nothing_else(cron: Engine) -> None:
    [(job,)] = cron.execute("select cron.schedule('job', '* * * * *', 'select 1')")
    cron.execute("select cron.alter_job(%s, command => 'select 2', username => 'alice')", [job])
    assert cron.execute("select schedule, command, username, active from cron.job") == [
        ("* * * * *", "select 2", "alice", True)
    ]


# Refusals


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("cron.schedule('a', null, 'x')", ("XX000", "schedule can not be NULL", None, None)),
        ("cron.schedule(null, '* * * * *', 'x')", ("XX000", "job_name can not be NULL", None, None)),
        ("cron.schedule('a', '* * * * *', null)", ("XX000", "command can not be NULL", None, None)),
        ("cron.schedule('a', 'bad', 'x')", ("22023", "invalid schedule: bad", None, HINT)),
        ("cron.alter_job(1, schedule => 'bad')", ("22023", "invalid schedule: bad", None, HINT)),
        (
            "cron.schedule_in_database('a', '* * * * *', 'x', 'nowhere')",
            ("3D000", 'database "nowhere" does not exist', None, None),
        ),
        (
            "cron.schedule_in_database('a', '* * * * *', 'x', 'postgres', 'nobody')",
            ("XX000", 'role "nobody" does not exist', None, None),
        ),
        (
            "cron.schedule_in_database('a', '* * * * *', 'x', 'postgres', 'no_login')",
            (
                "XX000",
                'role "no_login" can not log in',
                "Jobs may only be run by roles that have the LOGIN attribute.",
                None,
            ),
        ),
        ("cron.alter_job(null)", ("XX000", "job_id can not be NULL", None, None)),
        (
            "cron.alter_job(1)",
            (
                "XX000",
                "no updates specified",
                None,
                "You must specify at least one job attribute to change when calling alter_job",
            ),
        ),
        (
            "cron.alter_job(99, active => false)",
            ("XX000", "Job 99 does not exist or you don't own it", None, None),
        ),
        ("cron.unschedule(99)", ("XX000", "could not find valid entry for job 99", None, None)),
        ("cron.unschedule('gone')", ("XX000", "could not find valid entry for job 'gone'", None, None)),
    ],
)
def test_refusals_are_worded_as_by_pg_cron(cron: Engine, call: str, expected: tuple[str | None, ...]) -> None:
    assert fault(lambda: cron.execute(f"select {call}")) == expected


def test_null_for_a_strict_function_is_null_and_no_job(cron: Engine) -> None:
    assert cron.execute("select cron.schedule(null, 'x'), cron.unschedule(null::text)") == [(None, None)]


def test_a_role_that_may_not_connect_may_not_schedule(cron: Engine) -> None:
    cron.psql("revoke connect on database postgres from public; grant connect on database postgres to alice")
    call = "select cron.schedule_in_database('a', '* * * * *', 'x', 'postgres', 'bob')"
    assert fault(lambda: cron.execute(call))[1] == "User bob does not have CONNECT privilege on postgres"


def test_which_schedules_are_taken(cron: Engine) -> None:
    connection = cron.connect(autocommit=True)
    for schedule in TAKEN:
        connection.execute("select cron.schedule(%s, 'select 1')", [schedule])
    assert {row[0] for row in cron.execute("select schedule from cron.job")} == set(TAKEN)


def test_which_schedules_are_refused(cron: Engine) -> None:
    connection = cron.connect(autocommit=True)
    for schedule in REFUSED:
        with pytest.raises(
            errors.InvalidParameterValue, match=f"^{re.escape(f'invalid schedule: {schedule}')}"
        ):
            connection.execute("select cron.schedule(%s, 'select 1')", [schedule])
    assert cron.execute("select count(*) from cron.job") == [(0,)]


# Row security


def test_a_role_sees_and_changes_only_its_own_jobs(cron: Engine) -> None:
    [(job,)] = cron.execute("select cron.schedule('job', '* * * * *', 'select 1')", user="alice")
    assert cron.execute("select count(*) from cron.job", user="bob") == [(0,)]
    assert cron.execute("select count(*) from cron.job", user="alice") == [(1,)]
    assert cron.execute("select count(*) from cron.job") == [(1,)]

    def as_bob(call: str) -> tuple[str | None, ...]:
        return fault(lambda: cron.execute(call, [job] if "%s" in call else None, user="bob"))[:2]

    assert as_bob("select cron.unschedule(%s)") == ("42501", "permission denied for table job")
    assert as_bob("select cron.unschedule('job')")[1] == "could not find valid entry for job 'job'"
    altered = as_bob("select cron.alter_job(%s, active => false)")
    assert altered[1] == f"Job {job} does not exist or you don't own it"
    username = as_bob("select cron.alter_job(%s, username => 'bob')")
    assert username[1] == "must be superuser to alter username"
    other = as_bob("select cron.schedule_in_database('j', '* * * * *', 'x', 'postgres', 'alice')")
    assert other[1] == "must be superuser to create a job for another role"
    assert as_bob("update cron.job set active = false")[0] == "42501"
    assert as_bob("insert into cron.job (schedule, command) values ('* * * * *', 'x')")[0] == "42501"


def test_even_its_own_name_may_not_be_given_by_a_role_that_is_no_superuser(cron: Engine) -> None:
    call = "select cron.schedule_in_database('j', '* * * * *', 'x', 'postgres', 'bob')"
    told = fault(lambda: cron.execute(call, user="bob"))
    assert told[1] == "must be superuser to create a job for another role"


def test_the_owner_is_who_calls_even_after_set_role(cron: Engine) -> None:
    cron.psql("set role alice; select cron.schedule('job', '* * * * *', 'select 1')")
    assert cron.execute("select username from cron.job") == [("alice",)]


def test_a_superuser_unschedules_another_roles_job_by_id_only(cron: Engine) -> None:
    [(job,)] = cron.execute("select cron.schedule('job', '* * * * *', 'select 1')", user="alice")
    told = fault(lambda: cron.execute("select cron.unschedule('job')"))
    assert told[1] == "could not find valid entry for job 'job'"
    assert cron.execute("select cron.unschedule(%s::bigint)", [job]) == [(True,)]


# Running


@pytest.fixture
def running(cron: Engine) -> Iterator[Engine]:
    """The engine with a table to write to, and something that runs jobs."""
    cron.psql(
        """
        create table public.log (what text, at timestamptz default clock_timestamp());
        grant insert, select on public.log to alice;
        create procedure public.commits(how text) language plpgsql as $$
        begin insert into public.log values (how); commit; insert into public.log values (how || ' lost');
              perform 1 / 0; end $$;
        """
    )
    with cron.run_ticker():
        yield cron


def runs(engine: Engine, job: str) -> list[Any]:
    return engine.execute(
        """
        select d.status, d.return_message, d.start_time, d.end_time, d.job_pid, d.username, d.command, d.runid
          from cron.job_run_details d join cron.job j using (jobid) where j.jobname = %s order by d.runid
        """,
        [job],
    )


def ended(engine: Engine, job: str) -> list[Any]:
    return [run for run in runs(engine, job) if run[0] in ("succeeded", "failed")]


def every_second(engine: Engine, job: str, command: str, *, user: str | None = None) -> None:
    engine.execute("select cron.schedule(%s, '1 seconds', %s)", [job, command], user=user)


# What a command does, the status it ends in, and what its return_message matches.
OUTCOMES = {
    "one row": ("select 1", "succeeded", "1 row"),
    "two rows": ("select 1 union all select 2", "succeeded", "2 rows"),
    "command tag": ("insert into public.log values ('tag')", "succeeded", "INSERT 0 1"),
    "last statement counts": ("select 1; select 2 where false", "succeeded", "0 rows"),
    "nothing": ("", "succeeded", "0 rows"),
    "error": ("select 1 / 0", "failed", "ERROR:  division by zero\n"),
    "syntax": ("nope", "failed", 'ERROR:  syntax error at or near "nope"\nLINE 1: nope\n +\\^\n'),
    "all or nothing": (
        "insert into public.log values ('no'); select 1/0",
        "failed",
        "ERROR:  division by zero\n",
    ),
    "commit inside": ("call public.commits('kept')", "failed", "ERROR:  division by zero\nCONTEXT: .*"),
    "killed": ("select pg_terminate_backend(pg_backend_pid())", "failed", ".*server closed the connection.*"),
}


def test_every_second_jobs_run_and_say_how_they_ended(running: Engine) -> None:
    """All of them at once, so that the suite waits once."""
    for job, (command, _, _) in OUTCOMES.items():
        every_second(running, job, command)
    every_second(running, "as alice", "insert into public.log select current_user", user="alice")
    running.execute("select cron.schedule('off', '1 seconds', 'select 1')")
    running.execute("select cron.alter_job(jobid, active => false) from cron.job where jobname = 'off'")
    for job, (command, status, message) in OUTCOMES.items():
        first = eventually(lambda job=job: ended(running, job), what=f"a run of {job!r}")[0]
        assert first[0] == status, job
        assert re.fullmatch(message, first[1], re.DOTALL), (job, first[1])
        assert first[2] <= first[3]
        assert first[4] is not None
        assert first[5:7] == ("postgres", command)
    alice = eventually(lambda: ended(running, "as alice"))[0]
    assert (alice[0], alice[5]) == ("succeeded", "alice")
    written = {row[0] for row in running.execute("select what from public.log")}
    assert written == {"tag", "kept", "alice"}
    assert runs(running, "off") == []
    assert running.execute("select count(*) > 0 from cron.job_run_details", user="alice") == [(True,)]
    assert running.execute("select distinct username from cron.job_run_details", user="alice") == [("alice",)]
    eventually(lambda: len(ended(running, "one row")) >= 3, what="a third run")


def test_the_first_run_comes_after_one_interval_and_not_at_once(running: Engine) -> None:
    running.execute("select cron.schedule('later', '3 seconds', 'select 1')")
    [scheduled] = running.execute("select clock_timestamp()")[0]
    [run] = eventually(lambda: runs(running, "later"))
    assert run[2] is None or run[2] - scheduled > timedelta(seconds=2)


def test_a_job_never_overlaps_itself_and_seconds_runs_queue_at_most_once(running: Engine) -> None:
    every_second(running, "slow", "select pg_sleep(2.5)")
    every_second(running, "fast", "select 1")
    done = eventually(lambda: len(ended(running, "slow")) >= 2 and ended(running, "slow"), within=12)
    first, second = done[:2]
    assert second[2] >= first[3]  # no overlap
    assert second[2] - first[3] < timedelta(seconds=1.5)  # one waited, and starts right after
    assert len(ended(running, "fast")) >= 3  # and held up nobody else


def sleeping(engine: Engine) -> int:
    found = engine.execute(
        "select count(*) from pg_stat_activity where application_name = 'pg_cron' and query ~ 'pg_sleep'"
        " and state = 'active'"
    )
    return int(found[0][0])


@pytest.mark.parametrize("how", ["active => false", "unschedule"])
def test_a_job_taken_away_during_its_run_is_canceled_but_its_backend_goes_on(
    running: Engine, how: str
) -> None:
    every_second(running, "long", "select pg_sleep(6)")
    eventually(lambda: sleeping(running) == 1)
    [(job,)] = running.execute("select jobid from cron.job")
    if how == "unschedule":
        running.execute("select cron.unschedule('long')")
    else:
        running.execute("select cron.alter_job(%s, active => false)", [job])
    details = "select status, return_message, end_time is not null from cron.job_run_details where jobid = %s"
    eventually(lambda: running.execute(details, [job]) == [("failed", "job canceled", True)])
    assert sleeping(running) == 1
    if how != "unschedule":
        running.execute("select cron.alter_job(%s, active => true)", [job])
        eventually(lambda: sleeping(running) == 2, within=4, what="a second instance beside the first")


def test_rescheduling_does_not_cancel(running: Engine) -> None:
    every_second(running, "job", "select pg_sleep(1.5)")
    eventually(lambda: sleeping(running) == 1)
    running.execute("select cron.schedule('job', '30 seconds', 'select 1')")
    [run] = eventually(lambda: ended(running, "job"))
    assert run[:2] == ("succeeded", "1 row")


def test_a_role_that_cannot_log_in_any_more_fails_each_run(running: Engine) -> None:
    every_second(running, "job", "select 1", user="bob")
    running.execute("alter role bob nologin")
    run = eventually(lambda: ended(running, "job"))[0]
    assert run[:2] == ("failed", "connection failed")


def test_what_is_scheduled_but_not_committed_does_not_run(running: Engine) -> None:
    connection = running.connect()
    connection.execute("select cron.schedule('pending', '1 seconds', 'select 1')")
    every_second(running, "other", "select 1")
    eventually(lambda: len(ended(running, "other")) >= 2)
    connection.rollback()
    assert running.execute("select count(*) from cron.job_run_details where command <> 'select 1'") == [(0,)]
    assert running.execute("select count(distinct jobid) from cron.job_run_details") == [(1,)]


# The stand-in against the real one, beyond the table


fields = st.text(alphabet="*0123456789-/,$# jansumoL@\t\n", max_size=12)
schedules = st.one_of(
    st.lists(st.one_of(st.just("*"), fields), min_size=4, max_size=6).map(" ".join),
    st.tuples(
        st.text(alphabet="+-0123456789 ", max_size=12), st.sampled_from(["second", "seconds", "Seconds "])
    ).map("".join),
)


def test_parser_stand_in_and_pg_cron_agree_on_random_schedules(pg17: Engine, embedded: Engine) -> None:
    """The Python parser of the ticker, the SQL of the stand-in, and the C of pg_cron."""
    from orchestra.dev.cron_schedule import parse

    taken: list[Callable[[str], bool]] = [lambda text: parse(text) is not None]
    for engine in (pg17, embedded):
        engine.execute("create extension pg_cron")
        connection = engine.connect()

        def takes(text: str, connection: psycopg.Connection[Any] = connection) -> bool:
            try:
                connection.execute("select cron.schedule(%s, 'select 1')", [text])
            except errors.InvalidParameterValue:
                return False
            finally:
                connection.rollback()
            return True

        taken.append(takes)

    @settings(max_examples=400, deadline=None)
    @given(schedules)
    def agree(text: str) -> None:
        assert len({take(text) for take in taken}) == 1, [take(text) for take in taken]

    agree()
