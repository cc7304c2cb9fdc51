"""Many databases at once: each proved by itself, whatever becomes of the others."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fleet_world import SPEC, Fleet, end, until
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from orchestra.apply.lock import KEY
from orchestra.cli import schemas

HOLD_UP = "lock table pgmq.meta in share mode"
"""Everybody may read, so it can be planned; an apply waits when it makes its queue, in the midst of its transaction."""
ALL = [f"tenant-t{n}" for n in range(1, 9)]


def test_all_are_applied_and_planned_again(eight: Fleet) -> None:
    planned = eight.plan("--detailed-exitcode")
    assert planned.code == 2
    (group,) = planned.document["plans"]
    assert group["environments"] == ALL
    assert not any(eight.has_shop(name) for name in eight.urls)

    applied = eight.apply()
    assert applied.code == 0, applied.err
    assert applied.outcomes == dict.fromkeys(ALL, "done")
    assert all(eight.has_shop(name) for name in eight.urls)
    environments = [
        eight.rows(n, "select environment from orchestra.project where project = 'shop'") for n in eight.urls
    ]
    assert environments == [[(name,)] for name in ALL]

    again = eight.plan("--detailed-exitcode")
    assert again.code == 0
    assert again.outcomes == dict.fromkeys(ALL, "no_changes")


def test_one_of_each_fault_stops_no_other(eight: Fleet) -> None:
    """Down, locked, another role's, another environment's, one whose requirement does not hold, one without a table."""
    eight.urls["t1"] = eight.engine.url(database="nowhere")
    role, other = "select orchestra.register_project('shop', 'tenant-t3', 'open')", "create role somebody"
    eight.do("t3", f"{other}; {role}; update orchestra.project set owner_role = 'somebody'")
    eight.do("t4", "select orchestra.register_project('shop', 'production', 'open')")
    eight.do("t5", "drop table app.products")
    with psycopg.connect(eight.engine.url(database="t2")) as holder:
        holder.execute("select pg_advisory_xact_lock(%s)", [KEY])
        ended = eight.apply()
    assert ended.outcomes == {
        **dict.fromkeys(ALL, "done"),
        "tenant-t1": "failed",
        "tenant-t2": "locked",
        "tenant-t3": "blocked",
        "tenant-t4": "blocked",
        "tenant-t5": "failed",
    }
    assert ended.code == 1
    assert 'database "nowhere" does not exist' in ended.row("tenant-t1")["error"]["message"]
    assert [n for n in eight.urls if n != "t1" and eight.has_shop(n)] == ["t6", "t7", "t8"]


def test_the_gravest_outcome_is_the_exit_code(eight: Fleet) -> None:
    eight.do("t4", "select orchestra.register_project('shop', 'production', 'open')")
    assert [eight.plan().code, eight.plan("--detailed-exitcode").code] == [0, 2], "it could be planned"
    assert eight.apply().code == 5
    with psycopg.connect(eight.engine.url(database="t2")) as holder:
        holder.execute("select pg_advisory_xact_lock(%s)", [KEY])
        eight.write(SPEC.replace("20s", "25s"))
        ended = eight.apply()
    assert (ended.code, ended.outcomes["tenant-t2"], ended.outcomes["tenant-t4"]) == (4, "locked", "blocked")


def test_saved_plans_are_applied_exactly_and_stale_ones_refused_alone(eight: Fleet) -> None:
    eight.apply()
    eight.write(SPEC.replace("20s", "25s"))
    assert eight.plan("--out", "plans").code == 0
    index = json.loads((eight.home / "plans/index.json").read_text())
    assert [row["environment"] for row in index["plans"]] == ALL
    eight.do("t3", "update orchestra.workload set timeout_ms = 7000 where name = 'bulk-import'")
    eight.write(SPEC.replace("20s", "30s"))  # it does not count any more
    ended = eight.run("apply", "plans", "--auto-approve", "--format", "json")
    assert ended.outcomes == {**dict.fromkeys(ALL, "done"), "tenant-t3": "stale"}
    assert ended.code == 3
    timeout = "select timeout_ms from orchestra.workload where name = 'bulk-import'"
    assert [eight.rows(n, timeout)[0][0] for n in eight.urls] == [25000, 25000, 7000, *[25000] * 5]


def test_a_folder_of_plans_is_applied_in_part_and_never_when_damaged(eight: Fleet) -> None:
    eight.plan("--out", "plans")
    ended = eight.run("apply", "plans", "--env", "tenant-t[12]", "--auto-approve", "--format", "json")
    assert ended.outcomes == {"tenant-t1": "done", "tenant-t2": "done"}
    file = eight.home / "plans/tenant-t5.plan.json"
    file.write_text(file.read_text().replace("*/15", "*/16"))
    refused = eight.run("apply", "plans", "--auto-approve")
    assert refused.code == 64
    assert "changed after it was made" in refused.err
    assert [n for n in eight.urls if eight.has_shop(n)] == ["t1", "t2"]
    other = eight.run("apply", "plans", "--env", "production", "--auto-approve")
    assert (other.code, "matches none of the plans" in other.err) == (64, True)


def test_plans_of_one_folder_are_not_mixed_with_older_ones(eight: Fleet) -> None:
    eight.plan("--out", "plans")
    only = eight.run("plan", "--env", "tenant-t1", "--env", "tenant-t2", "--out", "plans")
    assert only.code == 0
    assert sorted(p.name for p in (eight.home / "plans").iterdir()) == [
        "index.json",
        "tenant-t1.plan.json",
        "tenant-t2.plan.json",
    ]
    (eight.home / "other").mkdir()
    (eight.home / "other/keep.txt").write_text("mine")
    refused = eight.plan("--out", "other")
    assert refused.code == 64
    assert (eight.home / "other/keep.txt").read_text() == "mine"


def test_what_one_may_say_of_a_plan_holds_for_all(eight: Fleet) -> None:
    """A queue that exists is adopted where it is, and a deletion is approved where its number fits."""
    for name in ("t1", "t2"):
        eight.do(name, "select pgmq.create('bulk_import')")
    adopted = eight.apply("--adopt", "queue.bulk-import")
    assert adopted.outcomes == dict.fromkeys(ALL, "done"), adopted.out
    assert "unused_flag" not in adopted.out
    for name, number in (("t1", 1), ("t2", 2), ("t3", 2)):
        eight.do(name, f"select pgmq.send('bulk_import', '{{}}') from generate_series(1, {number})")
    eight.write(SPEC.split("  bulk-import:")[0] + "  purge-sessions:" + SPEC.split("  purge-sessions:")[1])
    two = "messages:queue.bulk-import=2"
    (most, alone) = eight.plan("--allow-destroy").document["plans"]
    assert (most["environments"], len(alone["environments"])) == (ALL[3:], 3)
    assert [a["approval"] for a in alone["approvals"]] == [
        f"--allow messages:queue.bulk-import={number}" for number in (1, 2, 2)
    ]
    ended = eight.apply("--allow-destroy", "--allow", two)
    assert ended.outcomes == {**dict.fromkeys(ALL, "done"), "tenant-t1": "blocked"}
    assert ended.code == 5
    assert "--allow messages:queue.bulk-import=1" in ended.row("tenant-t1")["error"]["remedy"]
    left = {
        n: eight.rows(n, "select count(*) from pgmq.meta where queue_name = 'bulk_import'")[0][0]
        for n in eight.urls
    }
    assert left == {**dict.fromkeys(eight.urls, 0), "t1": 1}


def test_a_fleet_that_is_paused_is_one_plan_and_opens_as_one(eight: Fleet) -> None:
    paused = SPEC.replace("{env: TENANT_DATABASE_URLS}", "{env: TENANT_DATABASE_URLS}, paused: true")
    eight.write(paused)
    for ended in (eight.apply(), eight.plan()):
        (group,) = ended.document["plans"]
        assert [c["code"] for c in group["conditions"]] == ["environment_paused"]
        assert "in its own words" not in group["conditions"][0]["message"]
    gates = {
        n: eight.rows(n, "select gate from orchestra.project where project = 'shop'") for n in eight.urls
    }
    assert set(map(str, gates.values())) == {"[('paused',)]"}
    eight.write(SPEC)
    opened = eight.apply()
    (change,) = opened.document["plans"][0]["changes"]
    assert [(f["path"], f["before"], f["after"]) for f in change["fields"]] == [("gate", "paused", "open")]
    assert opened.outcomes == dict.fromkeys(ALL, "done")


def test_the_others_wait_for_the_canary(eight: Fleet) -> None:
    eight.do("t2", "drop table app.products")
    ended = eight.apply("--canary", "2")
    assert ended.outcomes == {
        **dict.fromkeys(ALL, "not_begun"),
        "tenant-t1": "done",
        "tenant-t2": "failed",
    }
    assert "tenant-t2 was a canary" in ended.row("tenant-t8")["error"]["message"]
    assert [n for n in eight.urls if eight.has_shop(n)] == ["t1"]
    eight.do("t2", "create table app.products (body jsonb)")
    again = eight.apply("--canary", "2")
    assert again.outcomes == {**dict.fromkeys(ALL, "done"), "tenant-t1": "no_changes"}


def test_nothing_is_begun_after_the_first_failure_if_somebody_says_so(eight: Fleet) -> None:
    with psycopg.connect(eight.engine.url(database="t3")) as holder:
        holder.execute("select pg_advisory_xact_lock(%s)", [KEY])
        ended = eight.apply("--fail-fast", "--parallel", "1")
    assert list(ended.outcomes.values()) == ["done", "done", "locked", *["not_begun"] * 5]
    assert ended.code == 4
    eight.do("t5", "drop table app.products")
    known = eight.apply("--fail-fast")
    assert list(known.outcomes.values()) == [
        *["no_changes"] * 2,
        *["not_begun"] * 2,
        "failed",
        *["not_begun"] * 3,
    ]
    assert "tenant-t5 cannot be applied" in known.row("tenant-t3")["error"]["message"]
    assert [n for n in eight.urls if n != "t5" and eight.has_shop(n)] == ["t1", "t2"]


def test_ctrl_c_rolls_back_what_runs_and_begins_no_more(eight: Fleet) -> None:
    """Two are held up in the midst of their transactions; two before them are done."""
    names = list(eight.urls)
    holders = [psycopg.connect(eight.engine.url(database=n)) for n in names[2:4]]
    for holder in holders:
        holder.execute(HOLD_UP)
    process = eight.start(
        "apply", "--env", "tenant-*", "--auto-approve", "--format", "json", "--parallel", "2"
    )
    until(lambda: _waiting(eight) == 2, "two applies that wait")
    process.send_signal(signal.SIGINT)
    ended = end(process)
    for holder in holders:
        holder.close()
    assert ended.code == 130
    assert ended.outcomes == {
        **dict.fromkeys(ALL, "not_begun"),
        **dict.fromkeys(ALL[:2], "done"),
        **dict.fromkeys(ALL[2:4], "interrupted"),
    }
    assert [n for n in names if eight.has_shop(n)] == names[:2]
    assert eight.apply().code == 0


def _waiting(fleet: Fleet) -> int:
    query = "select count(*) from pg_stat_activity where application_name = 'orchestra' and wait_event_type = 'Lock'"
    return int(fleet.engine.execute(query)[0][0])


def test_a_killed_run_leaves_nothing_going_on(eight: Fleet) -> None:
    with psycopg.connect(eight.engine.url(database="t1")) as holder:
        holder.execute(HOLD_UP)
        process = eight.start("apply", "--env", "tenant-t1", "--env", "tenant-t2", "--auto-approve")
        until(lambda: _waiting(eight) == 1, "an apply that waits")
        process.kill()
        end(process)
        sessions = "select count(*) from pg_stat_activity where application_name = 'orchestra'"
        until(lambda: eight.engine.execute(sessions) == [(0,)], "no session of it")
    assert not eight.has_shop("t1")


def test_a_crash_of_one_worker_is_one_row(eight: Fleet) -> None:
    """As when the system runs out of memory and ends it."""
    with psycopg.connect(eight.engine.url(database="t4")) as holder:
        holder.execute(HOLD_UP)
        both = ("--env", "tenant-t4", "--env", "tenant-t5", "--parallel", "1")
        process = eight.start("apply", *both, "--auto-approve", "--format", "json")
        until(lambda: _waiting(eight) == 1, "an apply that waits")
        (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(worker), signal.SIGKILL)
        ended = end(process)
    assert ended.outcomes == {"tenant-t4": "failed", "tenant-t5": "done"}
    assert "signal 9" in ended.row("tenant-t4")["error"]["message"]
    assert (eight.has_shop("t4"), eight.has_shop("t5")) == (False, True)


def test_two_runs_at_once_apply_each_database_once(eight: Fleet) -> None:
    both = [
        eight.start("apply", "--env", "tenant-*", "--auto-approve", "--format", "json", *more)
        for more in ((), ("--lock-timeout", "30s"))
    ]
    first, second = [end(process).outcomes for process in both]
    for name in ALL:
        assert sorted([first[name], second[name]]) in (
            ["done", "no_changes"],
            ["done", "stale"],
            ["done", "locked"],
        ), name
    assert "locked" not in second.values(), "which waits for the other"
    assert all(eight.has_shop(name) for name in eight.urls)


def test_a_server_with_few_connections_left_gets_all_of_them_done(eight: Fleet) -> None:
    with ExitStack() as stack:
        hold_all_but(3, eight, stack)
        ended = eight.apply("--parallel", "8")
    assert ended.outcomes == dict.fromkeys(ALL, "done"), ended.out
    assert all(eight.has_shop(name) for name in eight.urls)


def test_a_server_without_a_connection_is_a_row_for_each_of_its_databases(eight: Fleet) -> None:
    with ExitStack() as stack:
        hold_all_but(0, eight, stack)
        ended = eight.apply("--parallel", "8")
    assert (ended.code, ended.outcomes) == (1, dict.fromkeys(ALL, "failed"))
    error = ended.row("tenant-t1")["error"]
    assert "too many clients" in error["message"]
    assert "--parallel" in error["remedy"]
    assert not any(eight.has_shop(name) for name in eight.urls)


def hold_all_but(left: int, fleet: Fleet, stack: ExitStack) -> None:
    """Takes the connections of the server, so that so many are left."""
    held: list[psycopg.Connection[Any]] = []
    try:
        while True:
            held.append(stack.enter_context(psycopg.connect(fleet.engine.dsn)))
    except psycopg.OperationalError as error:
        if "too many clients" not in str(error):
            raise
    for connection in held[:left]:
        connection.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:{}@127.0.0.1:9/a",
        "postgresql://127.0.0.1:9/a?user=app&password={}",
        "host=127.0.0.1 port=9 user=app password='{}' dbname=a",
        "postgresql://app:{}@no-such-host.invalid/a",
        "postgresql://app:{}@[half-a-host/a",
        "postgres:/{}",
    ],
)
def test_a_password_in_a_url_is_never_shown(fleet: Fleet, url: str) -> None:
    secret, quoted = "pa$$w%rd/1x9", "pa%24%24w%25rd%2F1x9"
    fleet.make(["t1"])
    fleet.urls["t2"] = url.format(secret if "password='" in url else quoted)
    ended = [
        fleet.run("plan", "--env", "tenant-*", "--out", "plans"),
        fleet.apply("--canary", "1"),
        fleet.run("apply", "--env", "tenant-t2", "--auto-approve"),
    ]
    texts = [e.out + e.err for e in ended]
    texts += [p.read_text() for p in fleet.home.rglob("*.json")]
    assert all(e.code in (1, 64) for e in ended), texts
    for text in texts:
        assert secret not in text
        assert quoted not in text


def test_a_fleet_through_the_front_door_of_the_command_line(eight: Fleet) -> None:
    """What a person sees, and what is refused before anything is begun."""
    planned = eight.run("plan", "--env", "tenant-t1", "--env", "tenant-t2", "--parallel", "1")
    assert planned.code == 0
    assert planned.out.startswith("2 databases, the same plan: tenant-t1, tenant-t2\n")
    assert planned.out.rstrip().splitlines()[-1].startswith("2 databases: 2 with changes, in ")
    assert planned.err == "Databases: 2, 1 at a time: tenant-t1, tenant-t2\n"
    refused = [
        (("plan", "--env", "tenant-t1", "--parallel", "4"), "--parallel belongs to a run over several"),
        (("apply", "--env", "tenant-t1", "--canary", "1"), "--canary belongs to a run over several"),
        (("apply", "--env", "tenant-t1", "--fail-fast"), "--fail-fast belongs to a run over several"),
        (("plan", "--env", "tenant-*", "--db", "postgresql://x/y"), "--db names one database"),
        (("apply", "--env", "tenant-*"), "no terminal to ask on"),
        (("plan", "--env", "tenant-*", "--parallel", "0"), "--parallel"),
        (("destroy", "--env", "tenant-*", "--auto-approve"), "works on one environment"),
        (("plan", "--env", "tenant"), "tenant is a fleet"),
        (("plan", "--env", "tenant-*", "--allow", "anything"), "--allow does not name an address"),
        (("plan", "--env", "tenant-*", "--workload", "bulk-inport"), "did you mean bulk-import?"),
    ]
    for arguments, said in refused:
        ended = eight.run(*arguments)
        assert (ended.code, said in " ".join(ended.err.split())) == (64, True), (arguments, ended.err)
    (eight.home / "orchestra.yaml").write_text(SPEC.replace("max: 5s", "maximum: 5s"))
    broken = eight.run("plan", "--env", "tenant-*")
    assert (broken.code, "E120" in broken.err) == (1, True)
    assert not any(eight.has_shop(name) for name in eight.urls)


def test_a_terminal_is_told_of_failures_as_they_come(eight: Fleet) -> None:
    eight.urls["t2"] = eight.engine.url(database="nowhere")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "orchestra", "plan", "--env", "tenant-*"]
    with os.fdopen(theirs, "w") as terminal:
        process = subprocess.Popen(
            command, cwd=eight.home, env=eight.environment, stdout=subprocess.PIPE, stderr=terminal, text=True
        )
    said = b""
    with contextlib.suppress(OSError):  # as a terminal ends, once nobody has it open
        while more := os.read(ours, 65_536):
            said += more
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "✗" in said.decode()
    assert "tenant-t2 failed: cannot connect to" in said.decode()
    assert "\x1b" not in out


def test_ctrl_c_while_it_plans_changes_nothing(eight: Fleet) -> None:
    with psycopg.connect(eight.engine.url(database="t3")) as holder:
        holder.execute("lock table orchestra.registry in access exclusive mode")
        process = eight.start("apply", "--env", "tenant-*", "--auto-approve", "--format", "json")
        until(lambda: _waiting(eight) == 1, "a plan that waits")
        process.send_signal(signal.SIGINT)
        ended = end(process)
    assert (ended.code, ended.outcomes["tenant-t3"]) == (130, "interrupted")
    assert set(ended.outcomes.values()) <= {"interrupted", "not_begun"}
    assert not any(eight.has_shop(name) for name in eight.urls)


def test_the_documents_keep_to_their_schemas(eight: Fleet) -> None:
    eight.do("t4", "select orchestra.register_project('shop', 'production', 'open')")
    eight.urls["t5"] = eight.engine.url(database="nowhere")
    planned = eight.plan("--out", "plans")
    applied = eight.apply("--canary", "1", "--fail-fast")
    assert "not_begun" in applied.outcomes.values()
    for document in (planned.document, applied.document):
        _valid("fleet", document)
        for row in document["results"]:
            group = document["plans"][row["plan"]] if row["plan"] is not None else None
            assert group is None or row["environment"] in group["environments"]
    _valid("fleet-index", json.loads((eight.home / "plans/index.json").read_text()))
    assert [r["environment"] for r in planned.document["results"]] == ALL


def _valid(name: str, document: Any) -> None:
    plans = {"plan.v2.schema.json": json.loads(schemas.text("plan"))}
    resources = [(uri, Resource.from_contents(text)) for uri, text in plans.items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    validator = Draft202012Validator(json.loads(schemas.text(name)), registry=registry)
    assert [e.message for e in validator.iter_errors(document)] == []
