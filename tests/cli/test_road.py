"""The whole road by hand, against a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cli_world import SPEC, Run


@pytest.fixture
def database(embedded: Any) -> str:
    with psycopg.connect(embedded.dsn, autocommit=True) as connection:
        connection.execute("create schema app")
        connection.execute("create table app.products (body jsonb)")
        connection.execute("create table app.sessions (expires_at timestamptz)")
    return str(embedded.dsn)


def test_plan_apply_change_apply_destroy(run: Run, home: Path, database: str) -> None:
    db = ("--db", database)
    assert run("plan", *db, "--detailed-exitcode", "--out", "plan.json").exit_code == 2
    assert run("apply", "plan.json", *db, "--auto-approve").exit_code == 0
    again = run("apply", "plan.json", *db, "--auto-approve")
    assert again.exit_code == 3, "what was applied once is stale"
    assert run("plan", *db, "--detailed-exitcode").exit_code == 0

    (home / "orchestra.yaml").write_text(SPEC.replace("*/15", "*/10"))
    changed = json.loads(run("plan", *db, "--format", "json").stdout)
    assert changed["summary"] | {"unchanged": 0} == {"add": 0, "change": 1, "destroy": 0, "unchanged": 0}
    assert "0 added, 1 changed, 0 destroyed" in run("apply", *db, "--auto-approve").stdout

    refused = run("destroy", *db, "--auto-approve")
    assert refused.exit_code == 5
    assert "--allow-destroy" in refused.stdout
    assert run("destroy", *db, "--auto-approve", "--allow-destroy").exit_code == 0
    empty = run("destroy", *db, "--auto-approve", "--allow-destroy")
    assert "Nothing of this project is in this database." in empty.stdout


def test_a_plan_of_a_real_database_says_in_every_format_what_would_be_lost(
    run: Run, home: Path, database: str
) -> None:
    """Messages wait, and the queue is to go."""
    db = ("--db", database)
    assert run("apply", *db, "--auto-approve").exit_code == 0
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("select pgmq.send('bulk_import', '{}') from generate_series(1, 3)")
    start = SPEC.index("  bulk-import:")
    (home / "orchestra.yaml").write_text(SPEC[:start] + SPEC[SPEC.index("  purge-sessions:") :])
    assert run("plan", *db, "--out", "plan.json").exit_code == 0
    for form in ("text", "markdown", "html", "github", "sarif"):
        for args in (("plan", *db), ("show", "plan.json")):
            said = " ".join(run(*args, "--format", form).stdout.replace("&#95;", "_").split())
            assert "--allow messages:queue.bulk-import=3" in said
            assert "loses 3 waiting" in said
