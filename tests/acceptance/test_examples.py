"""Every example by the real command line, as its README walks through it."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Engine

from acceptance.cases import EDGE_FILES, EXAMPLE_CASES, EXAMPLES, ROOT, Case
from acceptance.cli import orchestra
from acceptance.live import apply, assert_settled
from orchestra import library
from orchestra.pipeline import PlanOptions

every_example = pytest.mark.parametrize("case", EXAMPLE_CASES, ids=str)
SCHEMA_LINE = "# yaml-language-server: $schema=../../schemas/orchestra.v1.schema.json\n"


@every_example
def test_an_example_is_planned_applied_and_then_in_step(case: Case, engine: Engine) -> None:
    case.prepare(engine)
    adopt = [word for address in case.adopt for word in ("--adopt", address)]

    def run(*arguments: str) -> int:
        return orchestra(*arguments, cwd=case.spec_file.parent, db=engine.dsn).code

    assert run("plan", "--detailed-exitcode", *adopt) == 2
    assert run("apply", "--auto-approve", *adopt) == 0
    assert run("plan", "--detailed-exitcode") == 0
    engine.psql(case.sql)
    engine.psql(case.sql)
    assert run("plan", "--detailed-exitcode") == 0


@every_example
@pytest.mark.engines("embedded", "pg17")
def test_an_example_applies_as_the_role_of_a_hosted_project(case: Case, engine: Engine) -> None:
    hosted = engine.hosted()
    case.prepare(engine, user=hosted.role)
    options = PlanOptions(adopt=frozenset(case.adopt))
    apply(engine, case.spec, options, user=hosted.role)
    assert_settled(engine, case.spec, user=hosted.role)
    engine.psql(case.sql, user=hosted.role)
    assert_settled(engine, case.spec, user=hosted.role)


@pytest.mark.parametrize("case", [c for c in EXAMPLE_CASES if c.needs_seconds], ids=str)
def test_an_example_with_seconds_is_refused_where_pg_cron_has_none(case: Case, pg15: Engine) -> None:
    case.prepare(pg15)
    done = orchestra("apply", case.spec_file, "--auto-approve", db=pg15.dsn)
    assert done.code == 1
    assert "cron_job.tick." in done.text
    assert "pg_cron 1.4-1 has no seconds schedules" in done.text
    assert "upgrade pg_cron to 1.5 or later, or choose an interval of whole minutes" in done.text
    assert pg15.execute("select to_regnamespace('orchestra') is null") == [(True,)]


@pytest.mark.parametrize("file", EDGE_FILES, ids=lambda f: f.parent.name)
def test_an_edge_spec_is_checked_and_explained_and_not_applied_yet(file: Path, embedded: Engine) -> None:
    assert orchestra("check", "--strict", file).code == 0
    assert orchestra("explain", file).code == 0
    embedded.psql(file.parent / "setup.sql")
    together = (
        [] if "In the place of orchestra.yaml" in file.read_text() else [file.parent / "orchestra.yaml"]
    )
    done = orchestra("apply", *together, file, "--auto-approve", db=embedded.dsn)
    assert done.code == 1
    assert "supported yet" in done.text
    assert embedded.execute("select to_regnamespace('orchestra') is null") == [(True,)]


@every_example
def test_an_example_has_no_findings(case: Case) -> None:
    assert library.check(case.spec) == ()


@pytest.mark.parametrize("folder", sorted(p.parent.name for p in EXAMPLES.glob("*/orchestra.yaml")))
def test_an_example_has_what_a_reader_looks_for(folder: str) -> None:
    here = EXAMPLES / folder
    assert (here / "setup.sql").exists()
    readme = (here / "README.md").read_text()
    assert "orchestra apply" in readme
    for spec in here.glob("*.yaml"):
        assert spec.read_text().startswith(SCHEMA_LINE)
        assert spec.name in readme
    assert f"[{folder}]({folder}/)" in (EXAMPLES / "README.md").read_text()


def test_the_schema_that_examples_name_is_there() -> None:
    assert (ROOT / "schemas" / "orchestra.v1.schema.json").exists()
