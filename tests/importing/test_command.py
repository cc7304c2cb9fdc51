"""What the command says where, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from engines import Engine
from hand_made import SEED, job, made_by_hand

from orchestra.cli import main


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["import", *arguments], prog_name="orchestra", env=environment)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("ORCHESTRA_DATABASE_URL", raising=False)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def url(embedded: Engine) -> str:
    made_by_hand(embedded, SEED)
    job(embedded, "tidy", "0 3 * * *", "select 1")
    return embedded.dsn


def test_without_out_the_spec_is_all_of_stdout(url: str, home: Path) -> None:
    done = run("--db", url)
    assert done.exit_code == 0
    assert done.stdout.startswith("# Written by orchestra")
    assert "my-tasks:" in done.stdout
    assert "1 thing could not be imported" in done.stderr
    assert '--db "$DATABASE_URL" --adopt queue.my-tasks --adopt cron_job.tidy=tidy' in done.stderr
    assert url not in done.output
    assert [p.name for p in home.iterdir()] == [".git"]


def test_the_file_is_named_in_the_command_that_adopts(url: str, home: Path) -> None:
    done = run("--out", "jobs and queues.yaml", ORCHESTRA_DATABASE_URL=url)
    assert (done.exit_code, done.stdout) == (0, "")
    text = (home / "jobs and queues.yaml").read_text()
    assert "#   orchestra plan 'jobs and queues.yaml' --adopt queue.my-tasks" in text
    assert "Wrote jobs and queues.yaml: project app, 2 workloads." in done.stderr


def test_for_machines_it_is_one_json_document(url: str, home: Path) -> None:
    done = run("--db", url, "--format", "json")
    document = json.loads(done.stdout)
    assert [w["adopt"] for w in document["workloads"]] == ["queue.my-tasks", "cron_job.tidy=tidy"]
    assert document["command"].endswith("--adopt queue.my-tasks --adopt cron_job.tidy=tidy")
    assert "consumer of queue" in document["left_out"][0]["reason"]
    assert document["spec"].startswith("# Written by orchestra")


def test_the_environment_that_was_read_comes_into_the_spec(url: str, home: Path) -> None:
    (home / "orchestra.yaml").write_text(
        "version: 1\nproject: old\nenvironments: {live: {database: {env: LIVE_URL}}}\nworkloads: {}\n"
    )
    done = run("--env", "live", "--out", "new.yaml", LIVE_URL=url)
    assert done.exit_code == 0, done.output
    text = (home / "new.yaml").read_text()
    assert "environments:\n  live: {database: {env: LIVE_URL}}\n" in text
    assert "orchestra plan new.yaml --env live --adopt queue.my-tasks" in text


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 64, "there is no database under .orchestra/, and none was named"),
        (("--db", "hunter2"), 64, "--db holds no database URL"),
        (("--db", "postgresql://me:hunter2@127.0.0.1:1/x"), 1, "cannot connect to me@127.0.0.1:1/x"),
        (("--env", "live"), 64, "no orchestra.yaml here"),
        (("--overwrite",), 64, "--overwrite needs --out FILE"),
        (("--format", "toml"), 64, "toml"),
    ],
)
def test_what_makes_no_sense_is_refused(home: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == code
    assert said in " ".join(done.stderr.split())
    assert "hunter2" not in done.output
    assert done.stdout == ""
