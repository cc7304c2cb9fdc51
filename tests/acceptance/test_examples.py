"""Every example by the real command line, as its README walks through it."""

from __future__ import annotations

import pytest
from engines import Engine

from acceptance.cases import EDGE_CASES, EXAMPLE_CASES, EXAMPLES, ROOT, Case
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


@pytest.mark.parametrize("case", EDGE_CASES, ids=str)
def test_the_edge_part_is_checked_explained_and_applied_with_its_conditions_told(
    case: Case, embedded: Engine
) -> None:
    files = [case.spec_file, *case.beside]
    assert orchestra("check", "--strict", *files).code == 0
    assert orchestra("explain", *files).code == 0
    case.prepare(embedded)
    done = orchestra("apply", *files, "--auto-approve", db=embedded.dsn)
    assert done.code == 0, done.text
    assert "was never seen" in done.text
    assert "supabase functions deploy" in done.text
    assert orchestra("plan", *files, "--detailed-exitcode", db=embedded.dsn).code == 0


@pytest.mark.parametrize("case", [c for c in EDGE_CASES if c.needs_calls], ids=str)
def test_the_edge_part_is_refused_where_there_is_no_pg_net(case: Case, pg15: Engine) -> None:
    case.prepare(pg15)
    done = orchestra("apply", case.spec_file, *case.beside, "--auto-approve", db=pg15.dsn)
    assert done.code == 1
    assert "this server has no pg_net to create" in done.text
    assert pg15.execute("select to_regnamespace('orchestra') is null") == [(True,)]


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
