"""What is somebody else's is said and left alone; where nothing can be read, one sentence says why."""

from __future__ import annotations

import pytest
from engines import Engine, Pool
from hand_made import extensions, imported, job, made_by_hand, ran, why

from orchestra import library, pipeline
from orchestra.errors import ConnectError, OrchestraError, UsageError
from orchestra.importing import Options
from orchestra.live.connect import connect
from orchestra.spec.load import parse_spec
from orchestra.spec.model import ScheduleTrigger

TOOLS = """
    create schema pgboss;
    create table pgboss.version (version int);
    create table pgboss.queue (name text primary key);
    create table pgboss.schedule (name text primary key, cron text);
    create table pgboss.subscription (event text);
    create table pgboss.job (id uuid, name text, data jsonb);
    create schema graphile_worker;
    create table graphile_worker._private_jobs (id bigint);
    create table graphile_worker._private_tasks (id int);
    create table graphile_worker._private_known_crontabs (identifier text);
    create schema partman;
    create table partman.part_config (parent_table text);
    create schema supabase_functions;
    create table supabase_functions.hooks (id bigint);
    create table public.oban_jobs (id bigint);
    create table public.job (id int);
    create table public.queue (id int);
"""
SHOP = """
version: 1
project: shop
platform: {provider: postgres}
workloads:
  ours:
    trigger: manual
    duration: {max: 5s}
    poll_interval: 1m
    run: {sql: "select 1"}
  tidy:
    trigger: {schedule: {cron: "0 3 * * *"}}
    duration: {max: 5s}
    run: {sql: "select 1"}
  watch:
    trigger: {table: {name: public.item, on: [insert]}}
    duration: {max: 5s}
    poll_interval: 1m
    run: {sql: "select :payload"}
"""


def applied(engine: Engine) -> None:
    spec = parse_spec(SHOP).spec
    assert spec is not None
    connection = connect(engine.dsn)
    try:
        library.apply(connection, pipeline.plan(connection, spec, pipeline.PlanOptions()))
    finally:
        connection.close()


def test_other_tools_are_told_by_their_tables(engine: Engine) -> None:
    made_by_hand(engine, TOOLS + "select pgmq.create('emails')")
    found = imported(engine)
    said = "\n".join(found.tools)
    for tool in (
        "pg-boss in schema pgboss",
        "graphile-worker in schema graphile_worker",
        "pg_partman in schema partman",
        "Supabase database webhooks in schema supabase_functions",
        "Oban in schema public",
    ):
        assert tool in said
        assert f"# {tool}" in found.text
    assert said.count("pg-boss") == 1
    assert [w.name for w in found.spec.workloads] == ["emails"]


def test_tools_alone_make_a_spec_that_says_so(engine: Engine) -> None:
    engine.psql(TOOLS)
    found = imported(engine)
    assert found.made == ()
    assert "workloads: {}" in found.text
    assert "--adopt" not in found.text


def test_what_a_project_has_is_left_out_and_said(engine: Engine) -> None:
    made_by_hand(engine, "create table public.item (id int primary key); select pgmq.create('emails')")
    applied(engine)
    job(engine, "mine", "0 3 * * *", "select 1")
    found = imported(engine)
    assert {w.name for w in found.spec.workloads} == {"emails", "mine"}
    assert found.left_out == ()
    (note,) = (note for note in found.notes if "shop" in note)
    assert "of project shop, which orchestra has already" in note
    assert dict(found.owned)["shop"] >= 6


def test_a_project_that_exists_is_refused_and_not_chosen(engine: Engine) -> None:
    made_by_hand(engine, "create table public.item (id int primary key); select pgmq.create('emails')")
    applied(engine)
    with pytest.raises(UsageError, match="project shop is in this database already") as refused:
        imported(engine, Options("shop"))
    assert "--project another name" in refused.value.remedy
    engine.execute("update orchestra.registry set project = 'app'")
    assert imported(engine).project == "app-2"


def test_a_name_that_is_none_of_a_projects_is_refused(embedded: Engine) -> None:
    made_by_hand(embedded, "select pgmq.create('emails')")
    with pytest.raises(UsageError, match="'My Shop' is no name of a project"):
        imported(embedded, Options("My Shop"))


def test_all_that_is_there_may_be_a_projects_own(embedded: Engine) -> None:
    made_by_hand(embedded, "create table public.item (id int primary key)")
    applied(embedded)
    with pytest.raises(OrchestraError, match="all that is there belongs to shop"):
        imported(embedded)


def test_an_empty_database_is_said_to_be_one(engine: Engine) -> None:
    with pytest.raises(
        OrchestraError, match="nothing to import in database postgres: no pgmq and no pg_cron"
    ):
        imported(engine)
    extensions(engine)
    with pytest.raises(OrchestraError, match="no queue and no cron job that role postgres may see"):
        imported(engine)


@pytest.mark.engines("pg17", "pg15")
def test_a_database_beside_that_of_pg_cron_says_where_jobs_are(engine: Engine) -> None:
    with engine.new_database("beside") as url:
        connection = connect(url)
        try:
            with pytest.raises(OrchestraError, match="it runs in database postgres"):
                pipeline.import_database(connection, Options())
        finally:
            connection.close()


@pytest.mark.parametrize(
    ("grants", "says"),
    [
        ("revoke usage on schema cron from public", "may not use the schemas cron, pgmq"),
        (
            "grant usage on schema cron, pgmq to b; revoke select on cron.job from public",
            "cannot see cron jobs",
        ),
        (
            "grant usage on schema cron, pgmq to b; revoke select on pgmq.meta from public",
            "cannot see what is in",
        ),
    ],
)
def test_a_role_without_rights_is_told_which(engine: Engine, grants: str, says: str) -> None:
    made_by_hand(engine, f"create role b login; {grants}")
    with pytest.raises(ConnectError, match=says) as refused:
        imported(engine, user="b")
    assert refused.value.remedy


def test_a_supabase_project_is_told_from_plain_postgres(engine: Engine) -> None:
    """There a statement may take two minutes, so what takes longer is no workload."""
    made_by_hand(engine, "create role supabase_admin; select pgmq.create('emails')")
    ran(engine, job(engine, "slow", "0 3 * * *", "select 1"), 130)
    ran(engine, job(engine, "near", "0 3 * * *", "select 1"), 100)
    job(engine, "new", "0 3 * * *", "select 1")
    found = imported(engine)
    assert found.spec.platform.provider == "supabase"
    assert {w.name: w.durations.max_ms for w in found.spec.workloads} == {
        "emails": 30_000,
        "near": 120_000,
        "new": 120_000,
    }
    assert "statement_timeout" in why(found, '"slow"')
    assert "Without `run` it is an Edge Function" in found.text
    connection = connect(engine.dsn)
    try:
        adopt = frozenset(m.adopt for m in found.made if m.adopt)
        plan = pipeline.plan(connection, found.spec, pipeline.PlanOptions(adopt=adopt))
    finally:
        connection.close()
    assert [b.message for b in plan.blockers] == []


def test_a_server_that_reads_schedules_in_a_zone_of_its_own_keeps_it(engine_pool: Pool) -> None:
    engine = engine_pool.engine("pg17", {"cron.timezone": "Europe/Berlin"})
    engine.reset()
    engine.execute("create extension pg_cron")
    job(engine, "early", "0 3 * * *", "select 1")
    found = imported(engine)
    assert found.spec.workloads[0].triggers == (ScheduleTrigger(cron="0 3 * * *", timezone="Europe/Berlin"),)
    assert any("reads schedules in Europe/Berlin" in note for note in found.notes)


def test_an_import_only_reads(engine: Engine) -> None:
    made_by_hand(engine, TOOLS + "select pgmq.create('emails'); select pgmq.send('emails', '{}')")
    job(engine, "mine", "0 3 * * *", "select 1")
    before = (
        engine.pg_dump(),
        engine.execute("select * from cron.job"),
        engine.execute("select * from pgmq.q_emails"),
    )
    imported(engine)
    assert before == (
        engine.pg_dump(),
        engine.execute("select * from cron.job"),
        engine.execute("select * from pgmq.q_emails"),
    )
