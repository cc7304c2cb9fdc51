"""What is installed: grammar, checks, rights, and that installing again changes nothing."""

from __future__ import annotations

import re
from importlib.resources import files

import pglast
import pytest
from engines import Engine

from orchestra import runtime
from runtime.runtime_db import RuntimeDb, install, install_functions

ENGINES = ("embedded", "pg17", "pg15")
TEXTS = [(f"{n:04}", text) for n, text in runtime.migrations()] + list(runtime.functions())


@pytest.mark.parametrize(("name", "text"), TEXTS, ids=[name for name, _ in TEXTS])
def test_every_file_is_sql_that_postgres_parses(name: str, text: str) -> None:
    statements = pglast.parse_sql(text)
    assert statements
    if name.endswith(".sql"):
        made = [s.stmt for s in statements]
        assert all(getattr(s, "replace", True) for s in made), (
            "functions are made with `create or replace`, so that they can be made again"
        )


@pytest.mark.parametrize(("name", "text"), TEXTS, ids=[name for name, _ in TEXTS])
def test_every_plpgsql_body_parses(name: str, text: str) -> None:
    # Without a server the parser knows neither rows of our tables nor parameters by their function's name; what it
    # says about those is no finding. plpgsql_check, which has a server, finds what is.
    beyond_it = re.compile("LookupExplicitNamespace|is not a known variable")
    for statement in pglast.split(text):
        if re.search(r"language\s+plpgsql", statement):
            try:
                pglast.parse_plpgsql(statement)
            except pglast.parser.ParseError as error:
                if not beyond_it.search(str(error)):
                    raise


def test_installing_again_changes_nothing(db: RuntimeDb) -> None:
    before = db.engine.pg_dump(["orchestra"])
    with db.main.transaction():
        install_functions(db.main)
    assert db.engine.pg_dump(["orchestra"]) == before


def test_functions_pin_their_search_path_unless_they_commit_or_run_handlers(db: RuntimeDb) -> None:
    free = db.rows(
        "select proname, prokind, prosecdef from pg_proc where pronamespace = 'orchestra'::regnamespace "
        "and not coalesce(proconfig && %s, false) order by 1",
        ['search_path=""', "search_path=pg_catalog, pg_temp"],
    )
    # `limits_of` and `slots` are inlined into those that do.
    assert [name for name, kind, _ in free if kind != "p"] == ["limits_of", "run_handler", "slots"]
    assert not any(definer for _, _, definer in free)
    procedures = db.rows(
        "select proname, proconfig, prosecdef from pg_proc "
        "where pronamespace = 'orchestra'::regnamespace and prokind = 'p' order by 1"
    )
    assert procedures
    assert all(config is None and not definer for _, config, definer in procedures)
    assert {"drain_sql", "tick", "fire", "housekeep", "catch_up"} <= {name for name, _, _ in procedures}


def test_only_enqueueing_and_the_trigger_run_with_the_owners_rights(db: RuntimeDb) -> None:
    definers = db.rows(
        "select proname, 'search_path=pg_catalog, pg_temp' = any(proconfig) "
        "from pg_proc where pronamespace = 'orchestra'::regnamespace and prosecdef order by 1"
    )
    assert definers == [
        (name, True) for name in ("knock_at_commit", "may_read", "on_table_change", "send", "send_many")
    ]


def test_nobody_else_may_do_anything(db: RuntimeDb) -> None:
    granted = db.rows(
        """select p.proname::text, case when a.grantee = 0 then 'public' else a.grantee::regrole::text end
        from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        where p.pronamespace = 'orchestra'::regnamespace and a.grantee <> p.proowner
        union all
        select c.relname::text, a.grantee::regrole::text
        from pg_class c, aclexplode(c.relacl) a
        where c.relnamespace = 'orchestra'::regnamespace and a.grantee <> c.relowner
        order by 1"""
    )
    assert granted == [
        # Row security calls them as whoever asks; without rights on the tables they answer nothing.
        ("asker", "public"),
        ("caller", "public"),
        ("may_read", "public"),
        ("run_progress", "public"),
        ("send", "service_role"),
        ("send_many", "service_role"),
    ]
    tables = db.rows(
        "select relname, relrowsecurity from pg_class "
        "where relnamespace = 'orchestra'::regnamespace and relkind = 'r'"
    )
    assert tables
    assert all(secured for _, secured in tables)


def test_a_careless_grant_shows_no_rows(db: RuntimeDb) -> None:
    name = db.queue()
    with db.connect() as connection:
        connection.execute("begin")
        connection.execute("grant usage on schema orchestra to authenticated")
        connection.execute("grant select on all tables in schema orchestra to authenticated")
        connection.execute("set local role authenticated")
        assert (
            connection.execute("select * from orchestra.workload where name = %s", (name,)).fetchall() == []
        )
        connection.execute("rollback")


@pytest.mark.engines("pg17")
def test_plpgsql_check_finds_nothing(db: RuntimeDb) -> None:
    db.engine.execute("create extension if not exists plpgsql_check")
    # Triggers' transition tables are named to it; their columns are any table's.
    db.run("create table if not exists public.any_table (id int primary key)")
    db.engine.execute("create extension if not exists pg_net")
    db.engine.execute("create extension if not exists supabase_vault")
    found = db.engine.execute(
        """select p.proname::text, c.check::text
        from pg_proc p
        join pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql'
        cross join lateral plpgsql_check_function(
          p.oid,
          relid => case when p.prorettype = 'trigger'::regtype and p.proname = 'on_table_change'
                        then 'public.any_table'::regclass
                        when p.proname = 'knock_at_commit' then 'orchestra.knock'::regclass
                        when p.prorettype = 'trigger'::regtype then 'orchestra.schedule'::regclass
                        else '0'::regclass end,
          oldtable => case p.proname when 'on_table_change' then 'orchestra_old'::name end,
          newtable => case p.proname when 'on_table_change' then 'orchestra_new'::name end
        ) c("check")
        where p.pronamespace = 'orchestra'::regnamespace"""
    )
    # What a step answers is a row of any shape, what is handed out of any queue: it says that it cannot know.
    doubts = re.compile("dynamic SQL|false alarms|maybe unmodified")
    found = [r for r in found if r[0] not in ("run_handler", "hand_out") or not doubts.search(r[1])]
    assert found == [], "\n".join(f"{n}: {s}" for n, s in found)


@pytest.mark.parametrize("name", ENGINES)
def test_it_installs_where_neither_pgmq_nor_pg_cron_is(name: str, engine_pool: object) -> None:
    engine: Engine = engine_pool.engine(name)  # type: ignore[attr-defined]
    with engine.new_database("bare") as url:
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            install(connection)
            install_functions(connection)
            connection.execute("call orchestra.tick('p', 1000)")
            connection.execute("call orchestra.housekeep('p')")


def test_files_are_named_for_their_order() -> None:
    folder = files("orchestra.runtime") / "functions"
    names = sorted(f.name for f in folder.iterdir())
    assert all(re.fullmatch(r"\d{3}_[a-z_]+\.sql", name) for name in names)
    assert names[-1] == "900_grants.sql"
