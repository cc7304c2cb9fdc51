"""Several projects in one database, planned and applied by one command in the order of their composition."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Engine

from acceptance.cli import orchestra

HEAD = "version: 1\nproject: {name}\nplatform: {{provider: postgres}}\n{more}workloads:\n"
WORK = '  {name}-work:\n    trigger: manual\n    duration: {{max: 5s}}\n    run: {{sql: "{sql}"}}\n'


def spec(folder: Path, name: str, more: str = "", sql: str = "select 1") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(HEAD.format(name=name, more=more) + WORK.format(name=name, sql=sql))
    return path


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    """Given the other way round than they have to be applied."""
    return [
        spec(tmp_path, "webhooks", "composition: {after: [runtime]}\n"),
        spec(tmp_path, "runtime", "composition: {after: [schema], before: [webhooks]}\n"),
        spec(tmp_path, "schema"),
    ]


def test_each_follows_what_it_comes_after(embedded: Engine, three: list[Path], tmp_path: Path) -> None:
    at = {"cwd": tmp_path, "db": embedded.dsn}
    assert orchestra("check", *three, cwd=tmp_path).code == 0
    alone = orchestra("apply", three[0], "--auto-approve", **at)
    assert (alone.code, "no project of that name" in alone.text) == (5, True), alone.text
    planned = orchestra("plan", *three, "--detailed-exitcode", **at)
    assert planned.code == 2, planned.text
    order = [planned.err.index(f"Project {name} (") for name in ("schema", "runtime", "webhooks")]
    assert order == sorted(order)
    done = orchestra("apply", *three, "--auto-approve", **at)
    assert (done.code, done.text.count("Apply complete!")) == (0, 3), done.text
    assert orchestra("plan", *three, "--detailed-exitcode", **at).code == 0
    ledger = embedded.execute("select project from orchestra.deployment order by id")
    assert ledger == [("schema",), ("runtime",), ("webhooks",)]


def test_what_fails_ends_it_and_what_is_done_stays(
    embedded: Engine, three: list[Path], tmp_path: Path
) -> None:
    spec(tmp_path, "runtime", "composition: {after: [schema]}\n", sql="select nothing from nowhere.at_all")
    done = orchestra("apply", *three, "--auto-approve", cwd=tmp_path, db=embedded.dsn)
    assert done.code == 1
    assert "schema is applied and stays; not applied: runtime, webhooks." in done.text
    assert embedded.execute("select project from orchestra.project") == [("schema",)]


def test_a_circle_is_named(embedded: Engine, three: list[Path], tmp_path: Path) -> None:
    spec(tmp_path, "schema", "composition: {after: [webhooks]}\n")
    done = orchestra("plan", *three, cwd=tmp_path, db=embedded.dsn)
    assert done.code == 1
    assert "runtime after schema after webhooks after runtime" in done.text


def test_a_name_of_another_project_is_never_taken(
    embedded: Engine, three: list[Path], tmp_path: Path
) -> None:
    at = {"cwd": tmp_path, "db": embedded.dsn}
    assert orchestra("apply", *three, "--auto-approve", **at).code == 0
    three[0].write_text(three[0].read_text() + "    queue: {name: schema_work}\n")
    done = orchestra("apply", *three, "--auto-approve", **at)
    assert (done.code, "schema_work belongs to project schema" in done.text) == (5, True), done.text


@pytest.mark.parametrize(
    "words", [["--workload", "x"], ["--out", "plan.json"], ["--format", "json"], ["--refresh-only"]]
)
def test_what_is_about_one_project_is_refused(
    embedded: Engine, three: list[Path], tmp_path: Path, words: list[str]
) -> None:
    done = orchestra("plan", *three, *words, cwd=tmp_path, db=embedded.dsn)
    assert done.code == 64
    assert "is about one project" in done.text


def test_a_wrong_word_for_one_of_them_is_told_before_any_is_applied(
    embedded: Engine, three: list[Path], tmp_path: Path
) -> None:
    spec(tmp_path, "schema", "environments: {production: {database: {env: SHOP_URL}}}\n")
    done = orchestra(
        "apply", *three, "--env", "production", "--auto-approve", "--db", embedded.dsn, cwd=tmp_path
    )
    assert (done.code, "no environment 'production'" in done.text) == (64, True), done.text
    assert embedded.execute("select to_regnamespace('orchestra') is null") == [(True,)]
