"""Named parameters become numbered ones, and nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.sql import PARAMETERS, bind
from orchestra.sql.scan import scan


@pytest.mark.parametrize(
    ("written", "bound", "used"),
    [
        ("select app.f(:payload, :attempt, :message_id)", "select app.f($1, $2, $3)", {1, 2, 3}),
        ("select :payload->>'id'", "select $1->>'id'", {1}),
        ("select (:attempt)::text", "select ($2)::text", {2}),
        ("select :attempt::text", "select $2::text", {2}),
        ("select x=:attempt", "select x=$2", {2}),
        ("call app.f(a := :payload, b => :attempt)", "call app.f(a := $1, b => $2)", {1, 2}),
        ("select $2", "select $2", {2}),
        ("select :payload, 'é', :attempt", "select $1, 'é', $2", {1, 2}),
        ("select a[:attempt]", "select a[$2]", {2}),
        ("select a[1 : :attempt]", "select a[1 : $2]", {2}),
        ("select a[(1):f(:attempt)]", "select a[(1):f($2)]", {2}),
    ],
)
def test_binds_parameters(written: str, bound: str, used: set[int]) -> None:
    result = bind(written)
    assert (result.text, result.used) == (bound, used)


@pytest.mark.parametrize(
    "sql",
    [
        "select ':payload'",
        "select E'\\' :payload'",
        "select $$ :payload $$, $a$ :attempt $a$",
        'select ":payload", :"payload", x.":attempt"',
        "select 1 -- :payload",
        "select 1 /* :payload /* :attempt */ :payload */",
        "select a::payload",
        "select a[1:attempt]",
        "select a[b:attempt], a[f(1):attempt], a[$1:attempt]",
        "select U&':payload'",
        "select a:payload",
        "select : payload",
        "select 'open :payload",
        "select 1",
    ],
)
def test_leaves_the_rest_alone(sql: str) -> None:
    assert bind(sql).text == sql


def test_names_parameters_that_there_are_not() -> None:
    unknown = bind("select :paylod, $4, $0, :Payload").unknown
    assert [(u.text, u.offset) for u in unknown] == [(":paylod", 7), ("$4", 16), ("$0", 20), (":Payload", 24)]


def test_maps_places_back() -> None:
    written = "select é, :payload, b, :attempt, c"
    result = bind(written)
    for name in "bc":
        assert result.original(result.text.index(f" {name}") + 1) == written.index(f" {name}") + 1


PIECES = st.sampled_from(
    [
        *(f":{name}" for name in PARAMETERS),
        "'it :payload'",
        "$$:attempt$$",
        "$q$ :payload $q$",
        "-- :payload\n",
        "/* :attempt */",
        '":payload"',
        "::",
        ":",
        "[",
        "]",
        "(",
        ")",
        "a",
        "1",
        "é",
        "😀",
        " ",
        "$1",
        "$9",
        ":other",
        "'",
        "E'\\''",
        "select",
        ",",
        "+",
    ]
)
TEXTS = st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60)


@given(TEXTS)
def test_binding_again_changes_nothing(sql: str) -> None:
    once = bind(sql).text
    assert bind(once).text == once


@given(TEXTS)
def test_never_touches_literals_and_comments(sql: str) -> None:
    kept = {"SCONST", "SQL_COMMENT", "C_COMMENT", "USCONST"}

    def literals(text: str) -> list[str]:
        return [text[t.start : t.end + 1] for t in scan(text) or () if t.name in kept or text[t.start] == '"']

    assert literals(bind(sql).text) == literals(sql)


@given(TEXTS)
def test_undoing_the_edits_gives_the_text_back(sql: str) -> None:
    result = bind(sql)
    names = {number: name for name, number in PARAMETERS.items()}
    back, done = "", 0
    for end, _ in result.edits:
        back += result.text[done : end - 2] + ":" + names[int(result.text[end - 1])]
        done = end
    assert back + result.text[done:] == sql
