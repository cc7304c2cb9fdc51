"""Texts that mean the same."""

from __future__ import annotations

import pytest

from orchestra.sql import same_meaning


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("call orchestra.tick('shop', 5000)", "CALL  orchestra.tick( 'shop',5000 ) ; -- by hand"),
        ("select a from app.t where b <> 1", "SELECT A\nFROM app.T WHERE (b != 1)"),
        ("select 'a'::text", "select cast('a' as text)"),
        ("not  sql at all", "not sql at all"),
    ],
)
def test_the_same(a: str, b: str) -> None:
    assert same_meaning(a, b)
    assert same_meaning(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("call orchestra.tick('shop', 5000)", "call orchestra.tick('Shop', 5000)"),
        ("select 1", "select 1; select 2"),
        ('select "A"', "select a"),
        ("not sql", "not sql either"),
        ("select 1", "select ("),
    ],
)
def test_not_the_same(a: str, b: str) -> None:
    assert not same_meaning(a, b)
