"""The fixtures themselves: what they promise to every other test."""

from __future__ import annotations

import pytest

from engines import Engine


def test_an_engine_answers_with_the_version_it_claims(engine: Engine) -> None:
    major = {"embedded": 18, "pg17": 17, "pg15": 15}[engine.name]
    assert engine.server_version // 10000 == major


def test_psql_and_pg_dump_reach_the_same_database(engine: Engine) -> None:
    engine.psql("create schema app; create table app.item (id int primary key);")
    assert "CREATE TABLE app.item" in engine.pg_dump(["app"])
    assert engine.pg_dump() == engine.pg_dump()


def test_psql_stops_at_an_error_and_shows_it(engine: Engine) -> None:
    with pytest.raises(AssertionError, match="division by zero"):
        engine.psql("select 1/0; create table never (id int);")
    assert engine.execute("select to_regclass('never')") == [(None,)]


def test_reset_removes_what_a_test_made(engine: Engine) -> None:
    pristine = engine.pg_dump()
    engine.hosted()
    engine.execute("create table public.mine (id int)")
    engine.execute("select pgmq.create('q')", user="postgres_like")
    engine.execute("select cron.schedule('job', '* * * * *', 'select 1')", user="postgres_like")
    other = engine.connect()
    engine.reset()
    assert other.closed
    assert engine.pg_dump() == pristine
    assert engine.execute("select rolname from pg_roles where oid >= 16384") == []
    assert engine.execute("select extname from pg_extension") == [("plpgsql",)]


def test_reset_survives_a_thousand_queues(embedded: Engine) -> None:
    from engines.supabase import install_pgmq

    install_pgmq(embedded)
    for start in range(0, 1000, 100):
        embedded.execute(
            "select pgmq.create('q' || i) from generate_series(%s::int, %s::int) i", [start, start + 99]
        )
    embedded.reset()
    assert embedded.execute("select nspname from pg_namespace where nspname = 'pgmq'") == []


def test_another_database_has_no_cron(engine: Engine) -> None:
    with engine.new_database("beside") as dsn:
        assert "beside" in dsn
        with pytest.raises(AssertionError, match="can only create extension in database postgres"):
            engine.psql("create extension pg_cron", database="beside")


def test_the_hosted_role_is_no_superuser_and_may_schedule(engine: Engine) -> None:
    hosted = engine.hosted()
    assert engine.execute("select rolsuper from pg_roles where rolname = %s", [hosted.role]) == [(False,)]
    engine.execute("select cron.schedule('job', '* * * * *', 'select 1')", user=hosted.role)
    assert engine.execute("select jobname, username from cron.job", user=hosted.role) == [
        ("job", hosted.role)
    ]
    engine.execute("select pgmq.create('q')", user=hosted.role)
