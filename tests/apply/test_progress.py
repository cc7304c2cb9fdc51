"""The function that tells users how far their runs are, as an apply makes it and as PostgREST calls it."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from psycopg import sql

from apply.shop import Shop, assert_empty

ALICE = "3f0e7f6e-0000-4000-8000-00000000a11c"
BOB = "3f0e7f6e-0000-4000-8000-000000000b0b"

RUNS = """\
workloads:
  send-report:
    trigger: manual
    poll_interval: 1m
    access: {enqueue: [authenticated], progress: [authenticated]}
    steps:
      collect: {duration: {max: 5s}, run: {sql: "select '[1, 2, 3]'::json"}}
      render: {depends_on: [collect], map: collect, duration: {max: 5s}, run: {sql: "select 1"}}
  tally:
    trigger: manual
    poll_interval: 1m
    access: {enqueue: [authenticated], progress: [authenticated]}
    steps:
      count: {duration: {max: 5s}, run: {sql: "select 1"}}
"""


@pytest.fixture
def reports(hosted: Shop) -> Shop:
    """Two pipelines whose users may start runs and ask for them. Cron leaves them alone: what is worked off, a test
    works off."""
    hosted.apply(RUNS)
    hosted.run("update cron.job set active = false")
    return hosted


def rpc(shop: Shop, function: str, argument: object, role: str, sub: str | None = None) -> Any:
    """A request as PostgREST makes it: the role and the verified claims, for one transaction."""
    claims = {"role": role, **({"sub": sub} if sub else {})}
    call = sql.SQL("select {}(%s)").format(sql.Identifier("public", function))
    with psycopg.connect(shop.dsn) as connection:
        connection.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        row = connection.execute(call, [argument]).fetchone()
    assert row is not None
    return row[0]


def start(shop: Shop, workload: str, sub: str) -> int:
    """The run that this user starts."""
    return int(rpc(shop, f"enqueue_{workload}", "{}", "authenticated", sub))


def test_users_see_their_own_runs_and_nobody_elses(reports: Shop) -> None:
    hers, his = start(reports, "send_report", ALICE), start(reports, "send_report", BOB)
    assert rpc(reports, "progress_send_report", hers, "authenticated", ALICE)["run"] == hers
    assert rpc(reports, "progress_send_report", his, "authenticated", BOB)["run"] == his
    assert rpc(reports, "progress_send_report", hers, "authenticated", BOB) is None
    assert rpc(reports, "progress_send_report", his, "authenticated", ALICE) is None
    assert rpc(reports, "progress_send_report", hers, "authenticated") is None
    assert rpc(reports, "progress_send_report", his + 1_000, "authenticated", ALICE) is None


def test_each_workload_tells_of_its_own_runs_only(reports: Shop) -> None:
    report, tally = start(reports, "send_report", ALICE), start(reports, "tally", ALICE)
    assert rpc(reports, "progress_tally", tally, "authenticated", ALICE)["workload"] == "tally"
    assert rpc(reports, "progress_tally", report, "authenticated", ALICE) is None
    assert rpc(reports, "progress_send_report", tally, "authenticated", ALICE) is None


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_who_is_not_named_may_not_even_ask(reports: Shop, role: str) -> None:
    run = start(reports, "send_report", ALICE)
    for function in ("progress_send_report", "progress_tally"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"function {function}"):
            rpc(reports, function, run, role, ALICE)


def test_it_says_how_far_the_work_is(reports: Shop) -> None:
    run = start(reports, "send_report", ALICE)
    begun = rpc(reports, "progress_send_report", run, "authenticated", ALICE)
    assert (begun["status"], begun["done"], begun["finished_at"]) == ("running", 0, None)
    reports.run("call orchestra.drain_sql('shop', 'send-report', 1)")
    done = rpc(reports, "progress_send_report", run, "authenticated", ALICE)
    assert (done["status"], done["total"], done["done"], done["failed"]) == ("done", 4, 4, 0)
    assert [(s["step"], s["status"], s["total"]) for s in done["steps"]] == [
        ("collect", "done", 1),
        ("render", "done", 3),
    ]


def test_a_spec_that_names_nobody_any_more_takes_it_away(reports: Shop) -> None:
    run = start(reports, "send_report", ALICE)
    nobody = RUNS.replace(", progress: [authenticated]}", "}")
    reports.apply(nobody, allow_destroy=True)
    assert_empty(reports.plan(nobody))
    with pytest.raises(psycopg.errors.UndefinedFunction):
        rpc(reports, "progress_send_report", run, "authenticated", ALICE)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rpc(reports, "enqueue_tally", "{}", "anon", ALICE)
    assert start(reports, "tally", ALICE) > run
