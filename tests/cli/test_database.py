"""Which database is chosen."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from cli_world import FakePipeline, Run

from orchestra.cli import local
from orchestra.cli.database import Chosen, choose
from orchestra.errors import UsageError

VARIABLE = "ORCHESTRA_DATABASE_URL"


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(dsn="postgresql://embedded")
    monkeypatch.setattr("orchestra.dev.embedded.start", lambda directory: found)


@pytest.fixture
def stack(home: Path) -> int:
    """A local Supabase stack, as far as one can see it: a configuration, and a port that answers."""
    server = socket.create_server(("127.0.0.1", 0))
    port: int = server.getsockname()[1]
    (home / "supabase").mkdir()
    (home / "supabase/config.toml").write_text(f"[db]\nport = {port}\n")
    yield port
    server.close()


def test_the_flag_wins(run: Run, home: Path, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "postgresql://variable")
    monkeypatch.setenv("PROD_DATABASE_URL", "postgresql://production")
    assert run("plan", "--db", "postgresql://flag", "--env", "production").exit_code == 0
    assert fake.url == "postgresql://flag"
    assert (fake.options.environment, fake.options.protect) == ("production", True)


def test_then_the_environment_then_the_variable(
    run: Run, home: Path, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "postgresql://variable")
    monkeypatch.setenv("PROD_DATABASE_URL", "postgresql://production")
    run("plan", "--env", "production")
    assert fake.url == "postgresql://production"
    run("plan")
    assert (fake.url, fake.options.where) == ("postgresql://variable", VARIABLE)


def test_then_the_local_stack(home: Path, stack: int, embedded: None) -> None:
    below = home / "apps/shop"
    below.mkdir(parents=True)
    chosen = choose(None, None, None, [below])
    assert chosen.url == f"postgresql://postgres:postgres@127.0.0.1:{stack}/postgres"
    assert chosen.where == f"the local Supabase stack of supabase/config.toml, port {stack}"


def test_at_last_the_embedded_database(
    home: Path, embedded: None, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = choose(None, None, None, [])
    assert (chosen.url, chosen.where) == ("postgresql://embedded", "the embedded database under .orchestra/")
    assert "Database: the embedded database" in capsys.readouterr().err


@pytest.mark.parametrize(("functions", "what"), [(False, "jobs"), (True, "jobs and functions")])
def test_it_is_said_who_runs_the_jobs_of_the_embedded_database(
    home: Path, embedded: None, capsys: pytest.CaptureFixture[str], functions: bool, what: str
) -> None:
    choose(None, None, None, []).say_who_runs_its_jobs(functions=functions)
    assert f"Its {what} run while this does: orchestra dev" in capsys.readouterr().err
    choose("postgresql://elsewhere", None, None, []).say_who_runs_its_jobs(functions=functions)
    assert "orchestra dev" not in capsys.readouterr().err


def test_a_stack_that_does_not_run_is_passed_over(home: Path, embedded: None) -> None:
    (home / "supabase").mkdir()
    (home / "supabase/config.toml").write_text("[db]\nport = 1\n")
    assert choose(None, None, None, []).url == "postgresql://embedded"


@pytest.mark.parametrize("text", ["", "not toml [", "db = 3", "[db]\nport = 'x'"])
def test_an_odd_configuration_means_the_usual_port(tmp_path: Path, text: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text)
    assert local._port(config) == 54322


def test_no_password_is_shown_by_accident() -> None:
    assert "hunter2" not in repr(Chosen("postgresql://me:hunter2@x/y", "--db"))


def test_environments_need_a_spec() -> None:
    with pytest.raises(UsageError):
        choose(None, "production", None, [])
