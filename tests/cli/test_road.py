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
