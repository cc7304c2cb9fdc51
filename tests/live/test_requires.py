"""What a spec requires is proved before anything changes, by checks that can only read and end soon."""

from __future__ import annotations

import time

import pytest
from apply.shop import QUEUE, Shop, assert_empty

from orchestra.errors import RequirementError


def _spec(*requirements: str) -> str:
    return "requires:\n" + "".join(f"  - {r}\n" for r in requirements) + QUEUE


HOLDS = [
    "{name: a, check: {sql: \"select current_setting('server_version_num')::int >= 150000\"}}",
    '{name: b, check: {sql: "select exists (select from app.orders) or true;"}}',
    "{name: c, check: {relation: app.orders}}",
    "{extension: plpgsql}",
    '{extension: plpgsql, version: ">=1.0"}',
    '{extension: pg_cron, version: ">=1.4"}',
    '{extension: pg_cron, version: ">1.3.9"}',
    '{extension: pgmq, version: ">=1.4.4"}',
    '{extension: pgmq, version: ">= 1.13.0"}',
]
FAILS = {
    "f-false": ('{name: f-false, check: {sql: "select false"}}', ""),
    "f-null": ('{name: f-null, check: {sql: "select null::boolean"}}', ""),
    "f-none": ('{name: f-none, check: {sql: "select true where false"}}', ""),
    "f-error": ('{name: f-error, check: {sql: "select 1 / 0 = 1"}}', "division by zero"),
    "f-table": ('{name: f-table, check: {sql: "select exists (select from app.missing)"}}', "does not exist"),
    "f-relation": ("{name: f-relation, check: {relation: app.missing}}", "the relation app.missing"),
    "f-schema": ("{name: f-schema, check: {relation: missing.missing}}", "the relation missing.missing"),
    "plpgsql": ('{extension: plpgsql, version: ">=99"}', "the extension plpgsql >=99"),
    "pgmq": ('{extension: pgmq, version: ">=1.99"}', "the extension pgmq >=1.99"),
    "pg_cron": ('{extension: pg_cron, version: ">99"}', "the extension pg_cron >99"),
    # Available on every server, and not installed: no plan would create it.
    "citext": ("{extension: citext}", "the extension citext"),
    "no_such": ("{extension: no_such}", "the extension no_such"),
    "f-write": (
        "{name: f-write, check: {sql: \"select (select pg_notify('a', 'b')) is not null and nextval('app.s') > 0\"}}",
        "read-only transaction",
    ),
    "f-lock": ("{name: f-lock, check: {sql: \"select setval('app.s', 9) > 0\"}}", "read-only transaction"),
}


def test_a_pgmq_of_plain_sql_is_as_old_as_what_it_cannot_do(shop: Shop) -> None:
    """It has no version of its own; here it loses what came with 1.13, 1.11 and 1.10."""
    shop.apply(_spec('{extension: pgmq, version: ">=1.13"}'))
    assert not shop.run("select from pg_extension where extname = 'pgmq'")
    for lost, refused, holds in (
        ("drop function pgmq.read_grouped_head_with_poll", "1.13", "1.11"),
        ("drop function pgmq.bind_topic", "1.11", "1.10"),
        ("alter type pgmq.message_record rename attribute last_read_at to something_else", "1.10", "1.9"),
    ):
        shop.run(lost)
        with pytest.raises(RequirementError, match="requirement pgmq does not hold"):
            shop.plan(_spec(f'{{extension: pgmq, version: ">={refused}"}}'))
        shop.plan(_spec(f'{{extension: pgmq, version: ">={holds}"}}'))


@pytest.mark.parametrize("requirement", HOLDS)
def test_each_form_holds_where_it_holds(shop: Shop, requirement: str) -> None:
    shop.apply(_spec(requirement))
    assert_empty(shop.plan(_spec(requirement)))


def test_all_that_fail_are_named_in_one_error_and_nothing_is_changed(shop: Shop) -> None:
    shop.run("create sequence app.s")
    before = shop.state()
    with pytest.raises(RequirementError) as caught:
        shop.plan(_spec(*HOLDS[:3], *(text for text, _ in FAILS.values())))
    for name, (_, why) in FAILS.items():
        assert f"requirement {name} does not hold" in caught.value.message
        assert why in caught.value.message
    assert "requirement a " not in caught.value.message
    assert shop.state() == before
    assert shop.one("select is_called from app.s") is False


def test_a_slow_check_is_cut_off_after_five_seconds(shop: Shop) -> None:
    started = time.monotonic()
    with pytest.raises(RequirementError, match=r"requirement slow does not hold.*statement timeout"):
        shop.plan(_spec('{name: slow, check: {sql: "select pg_sleep(60) is null"}}'))
    assert time.monotonic() - started > 4.5


@pytest.mark.parametrize(
    "sql", ["select true); drop table app.orders; select (true", "select true; drop table app.orders"]
)
def test_a_check_that_smuggles_in_a_second_statement_is_refused(shop: Shop, sql: str) -> None:
    from orchestra.kinds.requirement import Requirement
    from orchestra.live import checks

    with shop.db.transaction("begin read only"):
        failed = checks.failed_requirements(shop.db, [Requirement("x", sql)])
    assert set(failed) == {"x"}
    assert shop.one("select to_regclass('app.orders') is not null") is True


def test_a_check_cannot_leave_settings_behind(shop: Shop) -> None:
    set_it = "select set_config('statement_timeout', '1h', false) is not null"
    shop.apply(_spec(f'{{name: a, check: {{sql: "{set_it}"}}}}'))
    assert shop.db.rows("show statement_timeout") == [{"statement_timeout": "0"}]


def test_compiled_sql_stops_at_a_requirement_that_does_not_hold(shop: Shop) -> None:
    before = shop.state()
    text = shop.compiled(_spec(FAILS["f-relation"][0]))
    assert "requirement f-relation does not hold" in shop.engine.psql(text, check=False)
    assert shop.state() == before
