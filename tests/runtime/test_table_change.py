"""Table triggers: one message a changed row, in the statement's transaction, whatever the application's rights."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from runtime.runtime_db import PROJECT, RuntimeDb

ENGINES = ("embedded", "pg17", "pg15")
TRANSITIONS = {
    "insert": "new table as orchestra_new",
    "update": "old table as orchestra_old new table as orchestra_new",
    "delete": "old table as orchestra_old",
}


def watch(
    db: RuntimeDb,
    table: str,
    *events: str,
    columns: tuple[str, ...] = (),
    payload: str = "key",
    workload: str = "",
) -> str:
    """The triggers as the compiler makes them."""
    name = workload or db.queue()
    for event in events or tuple(TRANSITIONS):
        db.run(
            f"create trigger orchestra_{name}_{event} after {event} on {table} referencing {TRANSITIONS[event]} "
            f"for each statement execute function "
            f"orchestra.on_table_change('{PROJECT}', '{name}', '{payload}', '{json.dumps(columns)}')"
        )
    return name


def sent(db: RuntimeDb, name: str) -> list[Any]:
    """What arrived: op, key, changed; the queue is empty afterwards."""
    rows = db.rows(
        f"with gone as (delete from pgmq.q_{name} returning *) select message from gone order by msg_id"
    )
    for (message,) in rows:
        assert set(message) - {"row"} == {"op", "table", "key", "changed", "at"}
        assert message["at"].endswith("Z")
    return [(m["op"], m["key"], m["changed"]) for (m,) in rows]


@pytest.fixture
def docs(db: RuntimeDb) -> str:
    db.run("drop table if exists public.docs cascade")
    db.run("create table public.docs (id int primary key, body text, views int default 0, meta json)")
    return "public.docs"


def test_each_event_sends_a_message_a_row(db: RuntimeDb, docs: str) -> None:
    name = watch(db, docs)
    db.run("insert into docs (id, body) select i, 'b' from generate_series(1, 3) i")
    assert sent(db, name) == [("insert", {"id": i}, []) for i in (1, 2, 3)]
    db.run("update docs set body = 'c', views = 1 where id < 3")
    assert sent(db, name) == [("update", {"id": i}, ["body", "views"]) for i in (1, 2)]
    db.run("delete from docs where id = 2")
    assert sent(db, name) == [("delete", {"id": 2}, [])]
    db.run("update docs set body = 'x' where false")
    db.run("truncate docs")
    assert sent(db, name) == []


def test_an_update_counts_where_values_differ(db: RuntimeDb, docs: str) -> None:
    any_column, body_only = watch(db, docs, "update"), watch(db, docs, "update", columns=("body",))
    db.run("""insert into docs values (1, 'a', 0, '{"a": 1}'), (2, null, 0, null)""")
    db.run("update docs set body = body, views = views")
    assert (sent(db, any_column), sent(db, body_only)) == ([], [])
    db.run("update docs set views = views + 1")
    assert sent(db, any_column) == [("update", {"id": 1}, ["views"]), ("update", {"id": 2}, ["views"])]
    assert sent(db, body_only) == []
    db.run("update docs set body = 'a', views = 9")
    assert sent(db, any_column) == [
        ("update", {"id": 1}, ["views"]),
        ("update", {"id": 2}, ["body", "views"]),
    ]
    assert sent(db, body_only) == [("update", {"id": 2}, ["body"])]
    db.run("""update docs set meta = '{"a": 2}'""")  # json has no equality
    assert sent(db, any_column) == [("update", {"id": 1}, ["meta"]), ("update", {"id": 2}, ["meta"])]


def test_what_a_before_trigger_changes_is_seen(db: RuntimeDb, docs: str) -> None:
    """`UPDATE OF body` would miss this."""
    db.run(
        """create or replace function public.upper_body() returns trigger language plpgsql as $$
        begin new.body := upper(new.body); return new; end $$"""
    )
    db.run("insert into docs (id, body) values (1, 'a')")
    db.run("create trigger b before update on docs for each row execute function public.upper_body()")
    name = watch(db, docs, "update", columns=("body",))
    db.run("update docs set views = 5")
    assert sent(db, name) == [("update", {"id": 1}, ["body"])]


def test_a_changed_key_speaks_of_the_old_and_of_the_new_one(db: RuntimeDb, docs: str) -> None:
    name = watch(db, docs, "update", columns=("body",))
    db.run("insert into docs (id, body) values (1, 'a')")
    db.run("update docs set id = 7")
    assert sorted(sent(db, name), key=str) == [("update", {"id": 1}, ["id"]), ("update", {"id": 7}, ["id"])]


def test_the_row_travels_where_the_spec_says_so(db: RuntimeDb, docs: str) -> None:
    name = watch(db, docs, payload="new")
    db.run("insert into docs (id, body) values (1, 'a')")
    db.run("update docs set body = 'b'")
    db.run("delete from docs")
    rows = db.rows(
        f"select message -> 'op', message ? 'row', message -> 'row' from pgmq.q_{name} order by msg_id"
    )
    new = {"id": 1, "body": "b", "views": 0, "meta": None}
    assert rows == [("insert", True, {**new, "body": "a"}), ("update", True, new), ("delete", False, None)]


def test_upserts_merges_and_copies_are_seen(db: RuntimeDb, docs: str) -> None:
    name = watch(db, docs)
    db.run("insert into docs (id, body) values (1, 'a')")
    sent(db, name)
    db.run(
        "insert into docs (id, body) values (1, 'b'), (2, 'b') on conflict (id) do update set body = excluded.body"
    )
    assert sorted(sent(db, name), key=str) == [("insert", {"id": 2}, []), ("update", {"id": 1}, ["body"])]
    with db.main.cursor().copy("copy docs (id, body) from stdin") as copy:
        copy.write_row((3, "c"))
    assert sent(db, name) == [("insert", {"id": 3}, [])]


def test_it_belongs_to_the_statements_transaction(db: RuntimeDb, docs: str) -> None:
    name = watch(db, docs, "insert")
    with db.connect(autocommit=False) as connection:
        connection.execute("insert into docs (id) values (1)")
        connection.rollback()
    assert sent(db, name) == []


def test_keys_of_several_columns_odd_names_and_odd_types(db: RuntimeDb) -> None:
    db.run('drop table if exists public."Odd ""Table" cascade')
    db.run("drop domain if exists public.code cascade; create domain public.code as varchar(9)")
    db.run(
        """create table public."Odd ""Table" (
             "Kind %1$s" text collate "C", part int, code public.code, at timestamptz, "va'lue" numeric,
             primary key (code, "Kind %1$s", at))"""
    )
    name = watch(db, 'public."Odd ""Table"')
    db.run("""insert into public."Odd ""Table" values ('k', 1, 'c', '2020-01-01', 1)""")
    db.run("""update public."Odd ""Table" set "va'lue" = 2""")
    [insert, update] = sent(db, name)
    assert set(insert[1]) == {"code", "Kind %1$s", "at"}
    assert update[1] == insert[1]
    assert update[2] == ["va'lue"]


def test_an_application_needs_no_rights_on_anything_of_ours(db: RuntimeDb, docs: str) -> None:
    name = watch(db, docs)
    db.run("grant select, insert, update, delete on docs to authenticated")
    with db.connect() as connection:
        connection.execute("set role authenticated")
        connection.execute("insert into public.docs (id) values (1)")
        connection.execute("update public.docs set views = 2")
        connection.execute("delete from public.docs")
    assert [op for op, _, _ in sent(db, name)] == ["insert", "update", "delete"]


def test_an_applications_search_path_and_temporary_tables_change_nothing(db: RuntimeDb, docs: str) -> None:
    name = watch(db, docs, "insert")
    db.run("grant insert on docs to authenticated")
    with db.connect() as connection:
        connection.execute("set role authenticated")
        connection.execute("create temporary table workload (project text, name text, queue_name text)")
        connection.execute("set search_path = pg_temp, public")
        connection.execute("insert into public.docs (id) values (1)")
    assert len(sent(db, name)) == 1


def test_an_applications_own_types_are_never_run_with_the_owners_rights(db: RuntimeDb, docs: str) -> None:
    """An empty search_path still looks for types among the session's temporary objects, and before all others."""
    watch(db, docs, payload="new")
    db.run("drop table if exists public.whoami; create table public.whoami (who text)")
    db.run("grant insert on public.whoami to authenticated, service_role")
    db.run("grant insert, update, delete, select on docs to authenticated, service_role")
    for role in ("authenticated", "service_role"):
        with db.connect() as connection:
            connection.execute(f"set role {role}")
            connection.execute(
                """create function pg_temp.spy() returns boolean language plpgsql as $$
                begin insert into public.whoami values (current_user); return true; end $$"""
            )
            for name in (
                "text",
                "jsonb",
                "timestamptz",
                "int8",
                "name",
                "record",
                "interval",
                "regclass",
                "bool",
            ):
                connection.execute(f'create domain pg_temp."{name}" as pg_catalog.text check (pg_temp.spy())')
            connection.execute("insert into public.docs (id) values (1)")
            connection.execute("update public.docs set views = 3")
            connection.execute("delete from public.docs")
            if role == "service_role":
                connection.execute("select orchestra.send(%s, '{}')", (db.queue(),))
                connection.execute(
                    "select orchestra.send_many(%s, array['{}'::pg_catalog.jsonb])", (db.queue(),)
                )
    assert (
        db.rows("select distinct who from public.whoami where who not in ('authenticated', 'service_role')")
        == []
    )


def test_a_trigger_that_outlived_its_workload_does_nothing(db: RuntimeDb, docs: str) -> None:
    """Trap 10: the TRIGGER privilege lets a role create a trigger, but not drop it."""
    name = watch(db, docs)
    db.run("delete from orchestra.workload where name = %s", name)
    db.run("insert into docs (id) values (1)")
    db.run("update docs set views = 2")
    db.run("delete from docs")
    assert db.depth(name) == 0


def test_a_missing_queue_or_key_warns_and_lets_the_statement_be(db: RuntimeDb, docs: str) -> None:
    name = watch(db, docs)
    notices: list[str] = []
    with db.connect() as connection:
        connection.add_notice_handler(lambda d: notices.append(d.message_primary or ""))
        db.run("alter table docs drop constraint docs_pkey")
        connection.execute("insert into public.docs (id) values (1)")
        db.run("alter table docs add primary key (id)")
        db.run("select orchestra.drop_queue(%s)", name)
        connection.execute("insert into public.docs (id) values (2)")
    assert notices == [
        "orchestra: insert of public.docs was not sent: the table has no primary key",
        f"orchestra: insert of public.docs was not sent: queue {name} is missing",
    ]
    assert db.one("select count(*) from docs") == 2


def test_a_column_of_the_list_that_is_gone_is_no_error(db: RuntimeDb, docs: str) -> None:
    name = watch(db, docs, "update", columns=("views", "gone"))
    db.run("insert into docs (id) values (1)")
    db.run("update docs set views = 3, body = 'x'")
    assert sent(db, name) == [("update", {"id": 1}, ["views"])]
    db.run("alter table docs drop column views")
    db.run("update docs set body = 'y'")
    assert sent(db, name) == []


def test_a_delay_counts_for_table_triggers_too(db: RuntimeDb, docs: str) -> None:
    name = watch(db, docs, "insert", workload=db.queue(delay_ms=60_000))
    db.run("insert into docs (id) values (1)")
    assert db.one(f"select vt > now() + interval '50 s' from pgmq.q_{name}") is True


def test_a_partitioned_table_is_watched_as_a_whole(db: RuntimeDb) -> None:
    db.run("drop table if exists public.parts cascade")
    db.run("create table public.parts (id int primary key, body text) partition by range (id)")
    db.run("create table public.parts_1 partition of public.parts for values from (0) to (10)")
    db.run("create table public.parts_2 partition of public.parts for values from (10) to (20)")
    name = watch(db, "public.parts")
    db.run("insert into public.parts values (1, 'a'), (11, 'a')")
    db.run("update public.parts set body = 'b'")
    assert sent(db, name) == [("insert", {"id": 1}, []), ("insert", {"id": 11}, [])] + [
        ("update", {"id": i}, ["body"]) for i in (1, 11)
    ]


def test_a_large_update_calls_its_trigger_once(db: RuntimeDb, docs: str) -> None:
    """Trap 10: a trigger for each row costs many times the update."""
    db.run("insert into docs (id, body) select i, 'body of ' || i from generate_series(1, 20000) i")
    name = watch(db, docs, "update")
    [report] = db.one("explain (analyze, format json) update docs set views = views + 1")
    assert [trigger["Calls"] for trigger in report["Triggers"]] == [1]
    assert db.depth(name) == 20_000


def test_the_trigger_function_cannot_be_called_by_others(db: RuntimeDb, docs: str) -> None:
    db.run("grant trigger on docs to authenticated")
    with db.connect() as connection:
        connection.execute("set role authenticated")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "create trigger t after insert on public.docs referencing new table as orchestra_new "
                "for each statement execute function orchestra.on_table_change('shop', 'w', 'key', '[]')"
            )
