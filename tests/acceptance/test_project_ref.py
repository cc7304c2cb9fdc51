"""That a database is the Supabase project, the environment and the role that are meant, on a real server: a role's name
may look like a pooler's, so a connection here can tell a project too."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Engine

from acceptance.cli import orchestra

REF, OTHER = "abcdefghijklmnopqrst", "zyxwvutsrqponmlkjihg"
SPEC = f"""\
version: 1
project: shop
environments:
  production: {{database: {{env: PROD_DATABASE_URL}}, project_ref: {REF}}}
  staging: {{database: {{env: STAGING_DATABASE_URL}}, project_ref: {OTHER}}}
  local: {{database: {{env: LOCAL_DATABASE_URL}}}}
workloads:
  import:
    trigger: manual
    duration: {{max: 5s}}
    run: {{sql: "select 1"}}
"""


@pytest.fixture
def folder(tmp_path: Path, embedded: Engine) -> Path:
    (tmp_path / "orchestra.yaml").write_text(SPEC)
    (tmp_path / ".git").mkdir()
    for ref in (REF, OTHER):
        embedded.execute(f'create role "postgres.{ref}" login superuser')
    return tmp_path


def as_ref(engine: Engine, ref: str) -> str:
    return engine.url(user=f"postgres.{ref}")


def test_the_right_project_is_applied_and_told(embedded: Engine, folder: Path) -> None:
    url = as_ref(embedded, REF)
    planned = orchestra("plan", "--db", url, "--env", "production", cwd=folder)
    assert planned.code == 0, planned.text
    assert "Supabase project" not in planned.text
    found = orchestra("doctor", "--db", url, "--env", "production", cwd=folder)
    assert f"the connection leads to project {REF}, as environment production says" in found.text


def test_another_one_is_never_asked(embedded: Engine, folder: Path) -> None:
    url = as_ref(embedded, OTHER)
    applied = orchestra("apply", "--db", url, "--env", "production", "--auto-approve", cwd=folder)
    assert applied.code == 5
    assert f"leads to project {OTHER}, which the spec calls staging" in applied.text
    found = orchestra("doctor", "--db", url, "--env", "production", cwd=folder)
    assert (found.code, "the database was not asked" in found.text) == (1, True), found.text
    assert embedded.execute("select to_regnamespace('orchestra') is null") == [(True,)]


def test_without_its_name_an_environment_is_not_applied_as_another(embedded: Engine, folder: Path) -> None:
    for words in ([], ["--env", "local"]):
        done = orchestra("apply", "--db", as_ref(embedded, REF), *words, "--auto-approve", cwd=folder)
        assert done.code == 5, done.text
        assert "which the spec calls environment production" in done.text
        assert "give --env production" in done.text
    assert embedded.execute("select to_regnamespace('orchestra') is null") == [(True,)]


def test_what_cannot_be_told_is_a_condition_and_no_silent_pass(embedded: Engine, folder: Path) -> None:
    planned = orchestra("plan", "--db", embedded.dsn, "--env", "production", cwd=folder)
    assert planned.code == 0, planned.text
    assert f"it was not proved that it is {REF}" in planned.text
    assert f"connect by db.{REF}.supabase.co" in planned.text
    found = orchestra("doctor", "--db", embedded.dsn, "--env", "production", cwd=folder)
    assert f"it was not proved that it is {REF}" in found.text


def test_doctor_advises_to_write_it_down_and_compares_the_link(embedded: Engine, folder: Path) -> None:
    (folder / "orchestra.yaml").write_text(SPEC.replace(f", project_ref: {REF}", ""))
    (folder / "supabase/.temp").mkdir(parents=True)
    (folder / "supabase/.temp/project-ref").write_text(OTHER)
    found = orchestra("doctor", "--db", as_ref(embedded, REF), "--env", "production", cwd=folder)
    assert f"under environments.production write project_ref: {REF}" in found.text
    assert f"supabase link points at project {OTHER}, and this is {REF}" in found.text
    assert f"supabase link --project-ref {REF}" in found.out


def test_an_operator_who_names_another_environment_is_refused(
    embedded: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestra.cli import operating
    from orchestra.errors import BlockedError

    url = as_ref(embedded, REF)
    done = orchestra("apply", "--db", url, "--env", "production", "--auto-approve", cwd=folder)
    assert done.code == 0, done.text
    monkeypatch.chdir(folder)
    with (
        pytest.raises(BlockedError, match="holds environment production of the project, not local"),
        operating.at((), None, embedded.dsn, "local"),
    ):
        pass
    with operating.at((), None, url, "production") as at:
        assert at.project == "shop"
    with operating.at((), "shop", embedded.dsn, None) as at:
        assert at.spec is None
