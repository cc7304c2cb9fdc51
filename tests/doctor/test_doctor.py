"""Every prerequisite is looked at on a real server; what stands in the way of one keeps no other from being asked."""

from __future__ import annotations

import socket
from pathlib import Path

import psycopg
import pytest
from acceptance.cli import orchestra
from doctor_world import SQL_SPEC, doctor
from engines import Engine
from engines.waiting import eventually


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "orchestra.yaml").write_text(SQL_SPEC)
    (tmp_path / ".git").mkdir()
    return tmp_path


def applied(folder: Path, url: str) -> None:
    done = orchestra("apply", "--auto-approve", cwd=folder, db=url)
    assert done.code == 0, done.text


def test_a_fresh_server_can_be_applied_to(pg17: Engine, folder: Path) -> None:
    found = doctor(cwd=folder, db=pg17.dsn)
    assert found.failed == []
    assert found.of("pg_cron")["message"] == "pg_cron 1.6 is offered; an apply creates it"
    assert found.state("timezones") == "ok"
    assert "can be applied" in found.of("plan")["message"]
    assert pg17.execute("select to_regnamespace('orchestra') is null") == [(True,)]


def test_after_the_apply_jobs_really_run(pg17: Engine, folder: Path) -> None:
    applied(folder, pg17.dsn)
    assert doctor(cwd=folder, db=pg17.dsn).state("launcher") == "ok"
    eventually(
        lambda: pg17.execute("select count(*) > 0 from cron.job_run_details") == [(True,)],
        within=180,
        what="a run of a job",
    )
    found = doctor(cwd=folder, db=pg17.dsn)
    assert found.failed == []
    assert (found.state("runs"), found.state("room"), found.state("runtime")) == ("ok", "ok", "ok")
    assert found.of("plan")["message"].endswith("is empty: the database is as the spec says")


def test_a_worker_that_is_not_there_fails_though_all_is_applied(embedded: Engine, folder: Path) -> None:
    applied(folder, embedded.dsn)
    found = doctor(cwd=folder, db=embedded.dsn)
    assert found.failed == ["launcher"]
    assert found.of("launcher")["command"].startswith("orchestra dev")
    with embedded.run_ticker():
        eventually(
            lambda: embedded.execute("select count(*) from cron.job_run_details") != [(0,)],
            within=60,
            what="a run of a job",
        )
        assert doctor(cwd=folder, db=embedded.dsn).failed == []


def test_a_launcher_that_is_stuck_is_told_from_its_history(embedded: Engine, folder: Path) -> None:
    applied(folder, embedded.dsn)
    embedded.execute(
        "insert into cron.job_run_details (jobid, runid, status, start_time, end_time, return_message)"
        " select jobid, 1, 'failed', now() - interval '40 minutes', now() - interval '40 minutes',"
        " E'relation \"x\" does not exist\\nLINE 1' from cron.job limit 1"
    )
    found = doctor(cwd=folder, db=embedded.dsn)
    assert found.state("runs") == "failed"
    assert "the last run began 40 min ago" in found.of("runs")["message"]
    assert 'at last with: relation "x" does not exist' in found.of("failed_runs")["message"]


def test_a_closed_port_and_no_database_at_all_leave_the_rest(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = doctor("--db", f"postgresql://me:hunter2@127.0.0.1:{port}/x", cwd=folder)
    assert found.failed == ["connection"]
    assert "Connection refused" in found.of("connection")["message"]
    assert "hunter2" not in found.ended.out + found.ended.err
    none = doctor(cwd=folder)
    assert none.failed == ["connection"]
    assert (none.state("git"), none.state("spec")) == ("ok", "ok")
    assert not (folder / ".orchestra").exists()
    unset = doctor("--env", "production", cwd=folder)
    assert "PROD_DATABASE_URL, which is not set" in unset.of("connection")["message"]
    wrong = doctor("--env", "prodution", cwd=folder, db="postgresql://x")
    assert "did you mean production?" in wrong.of("connection")["remedy"]


def test_without_a_spec_the_database_alone_is_looked_at(pg17: Engine, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    found = doctor(cwd=tmp_path, db=pg17.dsn)
    assert (found.failed, found.state("spec"), found.state("clock")) == ([], "unknown", "ok")


def test_a_spec_with_errors_is_no_reason_not_to_look_at_the_database(pg17: Engine, folder: Path) -> None:
    (folder / "orchestra.yaml").write_text(SQL_SPEC.replace("trigger: manual", "triger: manual"))
    found = doctor(cwd=folder, db=pg17.dsn)
    assert found.failed == ["spec"]
    assert (found.state("plan"), found.state("connection")) == ("unknown", "ok")


def test_a_stranger_is_told_what_cannot_be_seen(pg17: Engine, folder: Path) -> None:
    applied(folder, pg17.dsn)
    pg17.execute("create role stranger login")
    found = doctor(cwd=folder, db=pg17.url(user="stranger"))
    assert found.failed == ["sight"]
    assert {found.state(c) for c in ("recorded", "jobs", "runs", "settings", "plan")} == {"unknown"}
    assert found.state("launcher") == "ok"
    assert 'grant select on cron.job to "stranger"' in found.of("jobs")["command"]


def test_another_role_of_the_same_platform_is_blocked_by_the_owner(pg17: Engine, folder: Path) -> None:
    pg17.hosted()
    applied(folder, pg17.url(user="postgres_like"))
    own = doctor(cwd=folder, db=pg17.url(user="postgres_like"))
    assert own.failed == []
    assert own.of("jobs")["message"].endswith("of all roles")
    pg17.execute("alter role postgres_like nobypassrls")
    own = doctor(cwd=folder, db=pg17.url(user="postgres_like"))
    assert "of postgres_like alone: row security hides those of others" in own.of("jobs")["message"]
    other = doctor(cwd=folder, db=pg17.dsn)
    assert "role" in other.failed or "cron_owner" in other.failed
    (folder / "orchestra.yaml").unlink()
    alone = doctor(cwd=folder, db=pg17.dsn)
    assert alone.failed == ["recorded"]
    assert alone.of("recorded")["remedy"] == "connect as postgres_like"


def test_a_database_where_cron_does_not_run(pg17: Engine, folder: Path) -> None:
    with pg17.new_database() as url:
        found = doctor(cwd=folder, db=url)
    assert "cron_database" in found.failed
    assert found.of("cron_database")["message"].startswith("pg_cron runs in database postgres only")


@pytest.mark.parametrize(
    "made",
    [
        """alter role "rea""der" set""",
        "alter database postgres set",
        """alter role "rea""der" in database postgres set""",
        "alter system set",
    ],
)
def test_a_server_that_only_reads_writes_again_by_what_is_said(made: str, pg17: Engine, folder: Path) -> None:
    pg17.execute("""create role "rea""der" login""")
    url = pg17.url(user="rea%22der")
    pg17.execute(f"{made} default_transaction_read_only = on")
    pg17.execute("select pg_reload_conf()")
    try:
        eventually(
            lambda: pg17.execute("show default_transaction_read_only", user="rea%22der") == [("on",)],
            within=30,
        )
        found = doctor(cwd=folder, db=url)
        assert found.state("read_only") == "failed"
        pg17.psql(found.of("read_only")["command"].replace("; ", ";\n") + ";")
        eventually(lambda: doctor(cwd=folder, db=url).state("read_only") == "not asked", within=30)
    finally:
        pg17.psql(
            "begin read write; alter database postgres reset default_transaction_read_only; commit;\n"
            "alter system reset default_transaction_read_only;\nselect pg_reload_conf();"
        )
    by_url = doctor(cwd=folder, db=f"{url}?options=-c%20default_transaction_read_only%3Don")
    assert "take it out of the URL" in by_url.of("read_only")["remedy"]


def test_a_role_without_rights_can_apply_once_all_that_is_said_was_done(pg17: Engine, folder: Path) -> None:
    pg17.execute("""create role "new""comer" login""")
    url = pg17.url(user="new%22comer")
    found = doctor(cwd=folder, db=url)
    assert set(found.failed) == {"create", "pg_cron"}
    assert orchestra("apply", "--auto-approve", cwd=folder, db=url).code == 1
    for check in found.said["checks"]:
        if check["state"] != "ok":
            pg17.psql(check["command"])
    found = doctor(cwd=folder, db=url)
    assert [c["code"] for c in found.said["checks"] if c["state"] != "ok"] == ["settings"]
    pg17.psql(found.of("settings")["command"])
    assert {c["state"] for c in doctor(cwd=folder, db=url).said["checks"]} == {"ok"}
    applied(folder, url)


def test_an_old_transaction_is_named_with_what_ends_it(
    pg17: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestra.cli.examining import Where, examine
    from orchestra.doctor import health
    from orchestra.doctor.model import State

    monkeypatch.chdir(folder)
    monkeypatch.setattr(health, "OLD_S", -1)
    holder = pg17.connect(application_name="nightly\x1b[31m dump".replace("\x1b", "?"))
    holder.execute("begin isolation level repeatable read")
    (pid,) = holder.execute("select pg_backend_pid()").fetchone() or (0,)
    found = examine([], Where(pg17.dsn, None, False))
    held = [c for c in found.checks if c.code == "old_snapshots" and c.state is State.WARNING]
    assert any(c.command == f"select pg_terminate_backend({pid})" for c in held)
    assert any("of postgres (nightly" in c.message for c in held)


def test_a_plan_that_is_blocked_is_a_failure_with_its_remedy(embedded: Engine, folder: Path) -> None:
    embedded.execute("create extension if not exists pg_cron")
    with psycopg.connect(embedded.dsn, autocommit=True) as connection:
        from orchestra.kinds.extension import pgmq_sql

        connection.execute(pgmq_sql())
        connection.execute("select pgmq.create('import')")
    found = doctor(cwd=folder, db=embedded.dsn)
    assert "unowned" in found.failed
    assert "--adopt queue.import" in found.of("unowned")["remedy"]


def test_text_for_people(pg17: Engine, folder: Path) -> None:
    done = orchestra("doctor", cwd=folder, db=pg17.dsn)
    assert done.code == 0
    heads = [line for line in done.out.splitlines() if line and not line.startswith(" ")]
    assert heads[:3] == ["This machine", "Spec", "Connection"]
    assert heads[-1].startswith("Nothing failed. ")
    assert all(len(line) <= 80 for line in done.out.splitlines())
