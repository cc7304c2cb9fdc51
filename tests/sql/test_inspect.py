"""What a statement is, reads, writes and calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.sql import inspect
from orchestra.sql.builtins import FUNCTIONS, OPERATORS, RELATIONS, TYPES


def relations(sql: str) -> dict[str, str]:
    return {str(r): " ".join(sorted(r.writes)) for r in inspect(sql).relations}


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select 1", "SELECT"),
        ("values (1)", "SELECT"),
        ("with a as (select 1) insert into app.t select * from a", "INSERT"),
        ("update app.t set a = 1", "UPDATE"),
        ("delete from app.t", "DELETE"),
        ("merge into app.t using app.u on true when matched then do nothing", "MERGE"),
        ("call app.f()", "CALL"),
        ("truncate app.t", "TRUNCATE"),
        ("refresh materialized view concurrently app.m", "REFRESH MATERIALIZED VIEW"),
        ("analyze app.t", "ANALYZE"),
        ("vacuum app.t", "VACUUM"),
        ("select 1 into app.t", "SELECT INTO"),
        ("create table app.t (a int)", "CREATE TABLE"),
        ("create extension x", "CREATE EXTENSION"),
        ("begin", "BEGIN"),
        ("commit", "COMMIT"),
        ("set search_path = app", "SET"),
        ("do $$ begin end $$", "DO"),
        ("", ""),
    ],
)
def test_kind(sql: str, kind: str) -> None:
    assert inspect(sql).kind == kind


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select * from app.a join b on true", {"app.a": "", "b": ""}),
        ("insert into app.a select * from app.b", {"app.a": "insert", "app.b": ""}),
        ("insert into app.a values (1) on conflict (x) do update set y = 1", {"app.a": "insert update"}),
        ("delete from app.a using app.b where true", {"app.a": "delete", "app.b": ""}),
        ("with a as (select 1) select * from a", {}),
        ("with a as (select * from a) select * from a", {"a": ""}),
        ("with recursive a as (select 1 union all select * from a) select * from a", {}),
        ("with a as (select 1), b as (select * from a) select * from b, c", {"c": ""}),
        (
            "with a as (delete from app.x returning *) insert into app.y select * from a",
            {"app.x": "delete", "app.y": "insert"},
        ),
        ("with t as (select 1) update t set a = 1 from t", {"t": "update"}),
        ("select * from app.a s for update of s skip locked", {"app.a": ""}),
        ("truncate app.a, b", {"app.a": "truncate", "b": "truncate"}),
        ("select (select 1 from app.a where exists (select from b))", {"app.a": "", "b": ""}),
        ("create table app.t as select * from app.u", {"app.t": "create", "app.u": ""}),
        (
            "merge into app.a using b on true when matched then delete when not matched then do nothing",
            {"app.a": "delete", "b": ""},
        ),
    ],
)
def test_relations(sql: str, found: dict[str, str]) -> None:
    assert relations(sql) == found


def test_columns_that_an_update_sets() -> None:
    assert inspect("update app.t set a = 1, (b, c) = (select 1, 2)").relations[0].columns == ("a", "b", "c")


@pytest.mark.parametrize(
    ("sql", "bounded"),
    [
        ("delete from app.t", False),
        ("delete from app.t where a", True),
        ("with x as (delete from app.t returning 1) select * from x", False),
        ("update app.t set a = 1", False),
        ("select 1", True),
    ],
)
def test_has_where(sql: str, bounded: bool) -> None:
    assert inspect(sql).has_where is bounded


def test_functions_types_and_operators_with_their_schema() -> None:
    found = inspect(
        "select app.f(a::citext), now(), b <=> c, d operator(app.=) e, f::app.mood[] from unnest(g)"
    )
    assert [str(n) for n in found.functions] == ["app.f", "now", "unnest"]
    assert [str(n) for n in found.types] == ["citext", "app.mood"]
    assert [str(n) for n in found.operators] == ["<=>", "app.="]
    assert found.columns == set("abcdefg")


def test_functions_that_a_call_names() -> None:
    assert [str(n) for n in inspect("call app.f(:payload)").functions] == ["app.f"]


def test_places_are_those_of_the_text_as_written() -> None:
    sql = "select 'é😀', :payload, app.f() from app.t where :attempt > 1"
    found = inspect(sql)
    assert found.functions[0].offset == sql.index("app.f")
    assert found.relations[0].offset == sql.index("app.t")


def test_the_place_of_a_syntax_error_is_that_of_the_text_as_written() -> None:
    sql = "select 'é😀', :payload, :attempt frm x y"
    assert inspect(sql).offset == sql.index("x y")


def test_what_does_not_parse() -> None:
    found = inspect("select * form app.t")
    assert found.error == 'syntax error at or near "form"'
    assert found.offset == 9


@pytest.mark.parametrize(
    "sql", ["select '\0'", "select '\ud800'", "select " + "(" * 20_000, "select " + "1+" * 50_000 + "1"]
)
def test_hostile_texts_are_errors(sql: str) -> None:
    assert inspect(sql).error


@given(st.text(max_size=80))
def test_never_raises(sql: str) -> None:
    inspect(sql)


def test_the_catalogue_knows_the_usual_names() -> None:
    assert {"now", "count", "jsonb_build_object", "gen_random_uuid"} <= FUNCTIONS
    assert {"=", "->>", "||", "@>"} <= OPERATORS
    assert {"text", "jsonb", "uuid"} <= TYPES
    assert "<=>" not in OPERATORS
    assert "citext" not in TYPES
    assert "pg_class" in RELATIONS
