"""`orchestra status` as a person or a monitor runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from apply.shop import HEAD, QUEUE, SHOP, Shop
from click.testing import CliRunner, Result
from engines import Engine
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families

from orchestra.cli import main, schemas
from orchestra.dev import embedded
from orchestra.report.cells import width

Run = Callable[..., Result]
SPEC = HEAD.format(project="shop") + QUEUE.replace(
    "poll_interval: 1m", "poll_interval: 1m\n    alerts: {max_depth: 3}"
)
ENVIRONMENTS = """\
environments:
  tenant: {databases: {env: TENANTS}}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: Shop) -> Run:
    for name in ("FORCE_COLOR", "ORCHESTRA_DEBUG", "ORCHESTRA_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("ORCHESTRA_DATABASE_URL", shop.dsn)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orchestra.yaml").write_text(SPEC)

    def invoke(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main, ["status", *arguments], prog_name="orchestra", **options)

    return invoke


def send(shop: Shop, count: int, workload: str = "import") -> None:
    shop.run(
        "select orchestra.send_many(%s, array(select to_jsonb(i) from generate_series(1, %s) i))",
        workload,
        count,
    )


def valid(text: str) -> Any:
    document = json.loads(text)
    Draft202012Validator(json.loads(schemas.text("status"))).validate(document)
    return document


def families(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    return {
        sample.name: [
            (s.labels, s.value)
            for f in text_string_to_metric_families(text)
            for s in f.samples
            if s.name == sample.name
        ]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def line(result: Result, name: str) -> str:
    [found] = [row for row in result.stdout.splitlines() if row.startswith(name)]
    return " ".join(found.split())


def test_all_is_well_and_a_monitor_is_told_so(run: Run, shop: Shop) -> None:
    shop.apply(SPEC.partition("provider: postgres}\n")[2])
    send(shop, 3)
    result = run("--detailed-exitcode")
    assert result.exit_code == 0
    assert "Database: ORCHESTRA_DATABASE_URL" in result.stderr
    assert result.stdout.startswith("Project shop (default) in database postgres, ")
    assert "All is well." in result.stdout
    assert line(result, "import").startswith("import 3 3 ")


def test_an_alert_has_its_numbers_and_an_exit_code_of_its_own(run: Run, shop: Shop) -> None:
    shop.apply(SPEC.partition("provider: postgres}\n")[2])
    send(shop, 4)
    result = run()
    assert result.exit_code == 0, "only a monitor asks for it"
    assert "1 alert:\n  ! import max_depth: 4 messages could begin, more than max_depth 3\n" in result.stdout
    assert run("--detailed-exitcode").exit_code == 2
    assert run("--detailed-exitcode", "--format", "json").exit_code == 2


def test_json_is_valid_and_alone_on_stdout(run: Run, shop: Shop) -> None:
    shop.apply(SHOP)
    (Path("orchestra.yaml")).write_text(HEAD.format(project="shop") + SHOP)
    send(shop, 4, "send-receipts")
    shop.run("select orchestra.pause('shop', 'nightly')")
    document = valid(run("--format", "json").stdout)
    by_name = {w["workload"]: w for w in document["workloads"]}
    assert by_name["send-receipts"]["depth"] == 4
    assert by_name["nightly"]["paused"]
    assert by_name["nightly"]["pause"]["role"] == "postgres"
    assert by_name["purge-sessions"]["runs"]["next_at"].endswith("Z")
    assert document["ok"] is True


def test_prometheus_can_read_it(run: Run, shop: Shop) -> None:
    shop.apply(SPEC.partition("provider: postgres}\n")[2])
    send(shop, 4)
    shop.run("select pg_stat_force_next_flush()")
    result = run("--format", "prometheus")
    assert result.exit_code == 0
    found = families(result.stdout)
    labels = {"project": "shop", "workload": "import"}
    assert found["orchestra_up"] == [({}, 1)]
    assert found["orchestra_queue_messages"] == [(labels, 4)]
    assert found["orchestra_queue_waiting_messages"] == [(labels, 4)]
    assert found["orchestra_alert"] == [({**labels, "kind": "max_depth"}, 1)]
    assert found["orchestra_alerts"] == [({"project": "shop"}, 1)]
    counters = [f for f in text_string_to_metric_families(result.stdout) if f.type == "counter"]
    assert {s.name for f in counters for s in f.samples} == {
        "orchestra_queue_enqueued_messages_total",
        "orchestra_queue_removed_messages_total",
    }
    for family in text_string_to_metric_families(result.stdout):
        assert family.documentation
        assert family.type in ("gauge", "counter")


def test_prometheus_of_a_database_that_is_down_says_so(run: Run) -> None:
    result = run(
        "--project", "shop", "--db", "postgresql://me:hunter2@127.0.0.1:1/x", "--format", "prometheus"
    )
    assert result.exit_code == 1
    assert families(result.stdout) == {"orchestra_up": [({}, 0)]}
    assert "error: cannot connect" in result.stderr
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--interval", "2s"), "--interval belongs to --watch"),
        (("--watch", "--interval", "10ms"), "shorter than 500ms"),
        (("--watch", "--format", "prometheus"), "no Prometheus format"),
        (("--parallel", "3"), "--parallel belongs to a run over several databases"),
        (("--all-projects", "--project", "shop"), "not both"),
        (("--workload", "imprt"), "there is no workload imprt"),
        (("--project", "shoq"), "project shoq was never applied to this database"),
    ],
)
def test_mistakes_end_with_64(run: Run, shop: Shop, arguments: tuple[str, ...], said: str) -> None:
    shop.apply(QUEUE)
    result = run(*arguments)
    assert result.exit_code == 64, result.output
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_a_wrong_name_is_told_the_right_one(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    assert "did you mean import?" in run("--workload", "imprt").stderr
    assert "it has shop" in run("--project", "shoq").stderr


def test_a_database_that_orchestra_was_never_applied_to(run: Run) -> None:
    result = run()
    assert result.exit_code == 64
    assert "orchestra was never applied to this database" in result.stderr


def test_an_older_and_a_newer_schema(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("update orchestra.version set version = version - 1")
    older = run()
    shop.run("update orchestra.version set version = version + 2")
    newer = run()
    assert (older.exit_code, newer.exit_code) == (64, 1)
    assert "orchestra apply brings it up to date" in older.stderr
    assert "install the newer orchestra" in newer.stderr


def test_a_role_that_may_not_look(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("create role stranger login")
    result = run("--db", shop.engine.url(user="stranger"))
    assert result.exit_code == 1
    assert "stranger" in result.stderr
    assert "Traceback" not in result.stderr


def test_one_workload_has_its_jobs_and_those_that_it_shares(run: Run, shop: Shop) -> None:
    shop.apply(SHOP)
    Path("orchestra.yaml").write_text(HEAD.format(project="shop") + SHOP)
    shop.run("select cron.alter_job(jobid, active => false) from cron.job")
    document = valid(run("--workload", "nightly", "--format", "json").stdout)
    assert [w["workload"] for w in document["workloads"]] == ["nightly"]
    jobs = {a["job"] for a in document["alerts"]}
    assert "orchestra:shop:nightly" in jobs
    assert "orchestra:shop:housekeep.1m" in jobs
    assert not any("send-receipts" in job for job in jobs)


def test_all_projects_need_no_spec(run: Run, shop: Shop, tmp_path: Path) -> None:
    shop.apply(QUEUE)
    shop.apply(QUEUE.replace("import:", "export:"), project="other")
    Path("orchestra.yaml").unlink()
    result = run("--all-projects")
    assert result.exit_code == 0, result.output
    assert "2 projects in database postgres" in result.stdout
    assert line(result, "other/export")
    assert line(result, "shop/import")


def test_who_paused_is_named_and_what_was_applied_so_is_not(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    with shop.engine.connect() as connection:
        connection.execute("select set_config('orchestra.actor', 'ada', true)")
        connection.execute("select orchestra.pause('shop', 'import')")
    result = run()
    assert "import: paused by ada (role postgres)" in result.stdout
    assert " paused " in line(result, "import ")
    shop.run("select orchestra.resume('shop', 'import')")
    shop.run("update orchestra.project set gate = 'paused'")
    assert "Project shop is paused, as it was applied: nothing of it begins." in run().stdout


def test_hostile_text_drives_no_terminal(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run(
        "insert into orchestra.dead_letter (project, workload, queue_name, msg_id, attempts, reason, error) "
        "values ('shop', 'import', 'import', 1, 5, 'exhausted', %s)",
        "\x1b[2Jgone postgresql://me:hunter2@db/x \u202e",
    )
    result = run()
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "hunter2" not in result.stdout
    assert "hunter2" not in run("--format", "json").stdout
    assert families(run("--format", "prometheus").stdout)["orchestra_dead_letters"][0][1] == 1


@pytest.mark.parametrize("width", [40, 45, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    shop.apply(SHOP)
    Path("orchestra.yaml").write_text(HEAD.format(project="shop") + SHOP)
    send(shop, 1_204, "send-receipts")
    shop.run("select orchestra.pause('shop', 'nightly')")
    monkeypatch.setenv("COLUMNS", str(width))
    result = run()
    assert max(map(len, result.stdout.splitlines())) <= width
    assert "1,204" in result.stdout


def test_as_the_role_of_a_hosted_project_on_each_engine(hosted: Shop) -> None:
    hosted.apply(QUEUE)
    with hosted.engine.connect(user="postgres_like", autocommit=True) as connection:
        connection.execute("select orchestra.send('import', '{}')")
    result = CliRunner().invoke(
        main, ["status", "--project", "shop", "--db", hosted.dsn, "--format", "json", "--detailed-exitcode"]
    )
    assert result.exit_code == 0, result.output
    document = valid(result.stdout)
    assert document["projects"][0]["jobs_visible"]
    assert [w["depth"] for w in document["workloads"]] == [1]
    assert document["has_cron"]
    assert all(job["jobid"] for job in document["jobs"])


def test_an_embedded_database_whose_jobs_nobody_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no launcher of its own, and nobody would guess."""
    monkeypatch.delenv("ORCHESTRA_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("orchestra.yaml").write_text(SPEC)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), prog_name="orchestra")

    refused = invoke("status")
    assert refused.exit_code == 64
    assert not Path(".orchestra").exists(), "none is made to be looked at"
    try:
        assert invoke("apply", "--auto-approve").exit_code == 0
        assert "orchestra dev" not in invoke("status").stderr
        server = embedded.find(tmp_path / ".orchestra")
        assert server is not None
        with psycopg.connect(server.dsn) as connection:
            connection.execute("update orchestra.registry set updated_at = now() - interval '1 hour'")
        assert "orchestra dev" in invoke("status").stderr
    finally:
        embedded.stop(tmp_path / ".orchestra")


def test_a_fleet_is_one_table(engine_pool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine: Engine = engine_pool.engine("embedded")
    engine.reset()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    Path("orchestra.yaml").write_text(SPEC.replace("workloads:", ENVIRONMENTS + "workloads:"))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), prog_name="orchestra")

    with engine.new_database("acme") as acme, engine.new_database("zeta") as zeta:
        monkeypatch.setenv("TENANTS", f"acme={acme}\nzeta={zeta}")
        for name in ("acme", "zeta"):  # a real server has but one of which this is true
            engine.execute(f"alter database {name} set cron.database_name = {name}")
        done = invoke("apply", "--env", "tenant-*", "--auto-approve")
        assert done.exit_code == 0, done.output
        connection = engine.connect(database="zeta", autocommit=True)
        connection.execute("select orchestra.send_many('import', array['{}', '{}', '{}', '{}']::jsonb[])")
        result = invoke("status", "--env", "tenant-*", "--detailed-exitcode")
        assert result.exit_code == 2, result.output
        assert "! tenant-zeta: import max_depth: 4 messages could begin" in result.stdout
        assert line(result, "tenant-acme").startswith("tenant-acme 0 1 0 ")
        assert line(result, "tenant-zeta").startswith("tenant-zeta 1 1 4 ")
        document = valid(invoke("status", "--env", "tenant-*", "--format", "json").stdout)
        assert [(d["environment"], d["ok"]) for d in document["databases"]] == [
            ("tenant-acme", True),
            ("tenant-zeta", False),
        ]
        found = families(invoke("status", "--env", "tenant-*", "--format", "prometheus").stdout)
        assert [labels["environment"] for labels, _ in found["orchestra_queue_messages"]] == [
            "tenant-acme",
            "tenant-zeta",
        ]
        monkeypatch.setenv("TENANTS", f"acme={acme}\nzeta=postgresql://me:hunter2@127.0.0.1:1/x")
        result = invoke("status", "--env", "tenant-*", "--detailed-exitcode")
        assert result.exit_code == 1, "what cannot be read is graver than an alert"
        assert "tenant-zeta: cannot connect" in result.stdout
        assert "trying again" not in result.stdout
        assert line(result, "tenant-acme ")
        valid(invoke("status", "--env", "tenant-*", "--format", "json").stdout)
        assert invoke("status", "--env", "tenant-*", "--db", acme).exit_code == 64


def test_asking_for_help_loads_no_driver() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from orchestra.cli import main\n"
            "try: main(['status', '--help'])\nexcept SystemExit: pass\n"
            "print([m for m in ('psycopg', 'yaml', 'concurrent.futures', 'json') if m in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Example:" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_machine_reads_why_the_database_could_not_be(run: Run) -> None:
    """JSON has a place for it; a wrong name is a mistake of the command line all the same."""
    result = run("--project", "shop", "--db", "postgresql://me:hunter2@127.0.0.1:1/x", "--format", "json")
    assert result.exit_code == 1
    assert "cannot connect" in valid(result.stdout)["fault"]
    assert "cannot connect" in result.stderr
    assert "hunter2" not in result.output


def test_two_hundred_workloads_fit_eighty_columns(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of them with names as wide as a spec allows none to be: whoever wrote the row was not asked."""
    monkeypatch.setenv("COLUMNS", "80")
    shop.apply(QUEUE)
    shop.run(
        "insert into orchestra.workload (project, name, pattern, handler, sql) "
        "select 'shop', case when i % 2 = 0 then 'w' || i else '\u8fb2\u5834' || i || E'\\x1b[31m\\u009b' end, "
        "'scheduled_sql', 'sql', 'select 1' from generate_series(1, 200) i"
    )
    result = run()
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) >= 200
    assert all(width(line) <= 80 for line in lines), max(lines, key=width)
    assert not set(result.stdout) & {"\x1b", "\x9b"}
    assert len(valid(run("--format", "json").stdout)["workloads"]) == 201
    scraped = {
        f.name: f.samples for f in text_string_to_metric_families(run("--format", "prometheus").stdout)
    }
    assert len({sample.labels["workload"] for sample in scraped["orchestra_paused"]}) == 201
    listed = CliRunner().invoke(main, ["pause"], prog_name="orchestra")
    assert not set(listed.output) & {"\x1b", "\x9b"}
