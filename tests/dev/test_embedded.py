"""The embedded server's life: made once, found again, shared, stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from orchestra.dev import embedded, unprivileged
from orchestra.dev.errors import DevDatabaseError


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A project's directory; its server is stopped in the end."""
    directory = tmp_path / ".orchestra"
    yield directory
    embedded.stop(directory)


def value(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def test_data_survives_stopping_and_starting(home: Path) -> None:
    first = embedded.start(home)
    with psycopg.connect(first.dsn) as connection:
        connection.execute("create table kept (id int)")
    first.stop()
    assert embedded.find(home) is None
    again = embedded.start(home)
    assert value(again.dsn, "select count(*) from kept") == 0


def test_it_has_the_roles_of_a_supabase_project(home: Path) -> None:
    first = embedded.start(home)
    with psycopg.connect(first.dsn) as connection:
        # One that somebody has changed stays as it is, and one that was dropped is there again.
        connection.execute("alter role anon connection limit 7")
        connection.execute("drop role authenticated")
    first.stop()
    again = embedded.start(home)
    query = "select array_agg((rolname, rolconnlimit)::text order by rolname) from pg_roles where oid > 16383"
    assert value(again.dsn, query) == ["(anon,7)", "(authenticated,-1)", "(service_role,-1)"]


def test_starting_again_finds_the_running_server(home: Path) -> None:
    first = embedded.start(home)
    pid = value(first.dsn, "select pg_postmaster_start_time()")
    again = embedded.start(home)
    assert again == first
    assert value(again.dsn, "select pg_postmaster_start_time()") == pid
    assert embedded.find(home) == first


def test_many_may_start_it_at_once(home: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        dsns = {server.dsn for server in pool.map(lambda _: embedded.start(home), range(4))}
    assert len(dsns) == 1


def test_it_outlives_the_process_that_started_it(home: Path) -> None:
    script = f"from orchestra.dev import embedded; print(embedded.start({str(home)!r}).dsn)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert value(done.stdout.strip(), "select 1") == 1


def test_two_projects_do_not_meet(tmp_path: Path) -> None:
    servers = [embedded.start(tmp_path / name) for name in ("one", "two")]
    try:
        directories = {value(server.dsn, "select current_setting('data_directory')") for server in servers}
        assert directories == {str(tmp_path / "one" / "postgres"), str(tmp_path / "two" / "postgres")}
    finally:
        for server in servers:
            server.stop()


def test_a_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    server = embedded.start(tmp_path / ("long" * 30))
    try:
        assert value(server.dsn, "select 1") == 1
    finally:
        server.stop()


def test_it_listens_on_no_network_and_ignores_libpq_variables(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    server = embedded.start(home)
    assert value(server.dsn, "select current_setting('listen_addresses')") == ""


def test_stopping_what_does_not_run_does_nothing(home: Path) -> None:
    embedded.stop(home)
    assert embedded.find(home) is None


def test_a_server_that_was_killed_is_started_again(home: Path) -> None:
    server = embedded.start(home)
    pid = int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, 9)
    deadline = time.monotonic() + 5
    while embedded.find(home) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    deadline = time.monotonic() + 15
    while True:  # the orphaned children need a moment to notice
        try:
            server = embedded.start(home)
            break
        except DevDatabaseError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert value(server.dsn, "select 1") == 1


def test_data_of_another_version_is_refused_with_a_remedy(home: Path) -> None:
    embedded.start(home).stop()
    (home / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(DevDatabaseError, match="was made by PostgreSQL 12") as caught:
        embedded.start(home)
    assert "remove" in caught.value.remedy


def test_a_bad_setting_is_told_in_the_servers_words(home: Path) -> None:
    with pytest.raises(DevDatabaseError, match="max_connections"):
        embedded.start(home, settings={"max_connections": "many"})


def test_stand_ins_and_pgmq_can_be_created_or_pgmq_left_out(home: Path) -> None:
    offered = """
        select string_agg(name, ' ' order by name) from pg_available_extensions
         where name in ('pg_cron', 'pg_net', 'supabase_vault', 'pgmq')
    """
    server = embedded.start(home, pgmq_extension=False)
    assert value(server.dsn, offered) == "pg_cron pg_net supabase_vault"
    server = embedded.start(home)
    assert value(server.dsn, offered) == "pg_cron pg_net pgmq supabase_vault"
    with psycopg.connect(server.dsn) as connection:
        connection.execute("create extension pgmq")
        connection.execute("select pgmq.create('q')")
        connection.execute("select pgmq.send('q', '{}')")
        assert connection.execute("select extversion from pg_extension where extname = 'pgmq'").fetchone()


@pytest.mark.parametrize("name", ["pg_cron", "pg_net", "supabase_vault"])
def test_a_stand_in_shows_in_pg_extension_and_drops_cleanly(home: Path, name: str) -> None:
    server = embedded.start(home)
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        before = connection.execute("select count(*) from pg_namespace").fetchone()
        connection.execute(f"create extension {name}")
        assert connection.execute("select 1 from pg_extension where extname = %s", [name]).fetchone()
        connection.execute(f"drop extension {name}")
        connection.execute("drop schema if exists vault")
        assert connection.execute("select count(*) from pg_namespace").fetchone() == before


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give up its rights")


@root_only
def test_without_user_namespaces_root_drops_to_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unprivileged, "_namespace", lambda user: None)
    unprivileged.launcher.cache_clear()
    try:
        with tempfile.TemporaryDirectory() as open_to_all:
            Path(open_to_all).chmod(0o755)
            home = Path(open_to_all) / ".orchestra"
            server = embedded.start(home)
            assert value(server.dsn, "select 1") == 1
            assert (home / "postgres").stat().st_uid != 0
            server.stop()
            assert value(embedded.start(home).dsn, "select 1") == 1
            embedded.stop(home)
    finally:
        unprivileged.launcher.cache_clear()


@root_only
def test_a_directory_that_the_other_user_cannot_reach_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unprivileged, "_namespace", lambda user: None)
    home.mkdir()
    home.parent.chmod(0o700)
    unprivileged.launcher.cache_clear()
    try:
        with pytest.raises(DevDatabaseError, match="cannot reach"):
            embedded.start(home)
    finally:
        unprivileged.launcher.cache_clear()


def test_what_a_crash_of_the_machine_left_is_no_server_and_its_number_is_nobody_to_stop(home: Path) -> None:
    embedded.start(home).stop()
    left = home / "postgres/postmaster.pid"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        for pid in (other.pid, 99_999_999, 2**80):
            left.write_text(f"{pid}\n{home / 'postgres'}\n")
            embedded.stop(home)
            embedded.stop(home, wait=False)
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0
    left.write_text(f"99999999\n{home / 'postgres'}\n")
    assert value(embedded.start(home).dsn, "select 1") == 1


def test_a_folder_in_which_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DevDatabaseError, match="nothing can be written") as refused:
        embedded.start(tmp_path / "file/.orchestra")
    assert "--db URL" in refused.value.remedy
