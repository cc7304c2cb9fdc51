"""The connection is the Supabase project that the environment is, or nothing is done."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_world import SPEC, FakePipeline, Run

PROD, OTHER = "abcdefghijklmnopqrst", "zyxwvutsrqponmlkjihg"
DIRECT = "postgresql://postgres:pw@db.{}.supabase.co:5432/postgres"
POOLED = "postgresql://postgres.{}:pw@aws-0-eu-central-1.pooler.supabase.com:6543/postgres"
COMMANDS = [
    ["plan"],
    ["apply", "--auto-approve"],
    ["destroy", "--auto-approve"],
    ["adopt", "queue.bulk-import", "--auto-approve"],
    ["forget", "queue.bulk-import", "--auto-approve"],
    ["rollback", "1", "--auto-approve"],
    ["approve", "--reason", "because"],
    ["history"],
    ["import"],
]


@pytest.fixture
def spec(home: Path) -> Path:
    text = SPEC.replace("{provider: postgres}", "{provider: supabase}")
    text = text.replace("protect: true", f"protect: true, project_ref: {PROD}")
    (home / "orchestra.yaml").write_text(text)
    return home


@pytest.mark.parametrize("words", COMMANDS, ids=lambda w: w[0])
@pytest.mark.parametrize("url", [DIRECT, POOLED])
def test_another_project_is_refused_before_anybody_is_asked(
    run: Run, spec: Path, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch, words: list[str], url: str
) -> None:
    monkeypatch.setenv("PROD_DATABASE_URL", url.format(OTHER))
    done = run(*words, "--env", "production")
    text = " ".join(done.output.split())
    assert done.exit_code == 5, text
    assert f"environment production is the Supabase project {PROD}" in text
    assert f"this connection leads to project {OTHER}" in text
    assert fake.url == ""
    assert "pw" not in text.replace("pw@", "")


def test_a_url_given_for_the_environment_is_looked_at_too(run: Run, spec: Path, fake: FakePipeline) -> None:
    assert run("plan", "--db", DIRECT.format(OTHER), "--env", "production").exit_code == 5
    assert fake.url == ""


@pytest.mark.parametrize("url", [DIRECT.format(PROD), POOLED.format(PROD), "postgresql://10.0.0.4/postgres"])
def test_the_project_itself_and_what_tells_none_go_on(
    run: Run, spec: Path, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("PROD_DATABASE_URL", url)
    assert run("plan", "--env", "production").exit_code == 0
    assert (fake.url, fake.options.meant.project_ref) == (url, PROD)


def test_several_environments_are_looked_at_before_the_first(
    run: Run, spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROD_DATABASE_URL", DIRECT.format(OTHER))
    monkeypatch.setenv("PREVIEW_DATABASE_URL", "postgresql://127.0.0.1:1/preview")
    done = run("plan", "--env", "p*")
    assert (done.exit_code, "leads to project" in done.output) == (5, True)


def test_the_link_is_what_supabase_wrote(spec: Path, fake: FakePipeline, run: Run) -> None:
    (spec / "supabase/.temp").mkdir(parents=True)
    (spec / "supabase/.temp/project-ref").write_text(f"{OTHER}\n")
    run("plan", "--db", "postgresql://127.0.0.1/x")
    assert fake.options.meant.linked == OTHER
    (spec / "supabase/.temp/project-ref").write_bytes(b"\xff\x00 no ref")
    run("plan", "--db", "postgresql://127.0.0.1/x")
    assert fake.options.meant.linked is None
