from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apply.fixtures import shop
from apply.shop import Shop
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from orchestra.cli import main, schemas

__all__ = ["run", "shop"]

Run = Callable[..., Result]

SPEC = """\
workloads:
  import:
    trigger: manual
    duration: {max: 5s}
    poll_interval: 1m
    retry: {max_attempts: 1}
    run: {sql: "select 1 / (:payload ->> 'n')::int"}
  mail:
    trigger: manual
    duration: {max: 5s}
    poll_interval: 1m
    retry: {max_attempts: 1}
    run: {sql: "select (:payload ->> 'to')::int"}
  purge:
    trigger: {schedule: {cron: "30 2 * * *"}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions"}
"""
HEAD = "version: 1\nproject: shop\nplatform: {provider: postgres}\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: Shop) -> Run:
    """The command line beside a spec that is applied; the database is known by a variable."""
    for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "FORCE_COLOR", "ORCHESTRA_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ORCHESTRA_ACTOR", "ada")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("ORCHESTRA_DATABASE_URL", shop.dsn)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orchestra.yaml").write_text(HEAD + SPEC)
    shop.apply(SPEC)

    def invoke(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main, list(arguments), prog_name="orchestra", **options)

    return invoke


def send(shop: Shop, workload: str, *payloads: Any) -> None:
    for payload in payloads:
        shop.run("select orchestra.send(%s, %s)", workload, json.dumps(payload))


def work(shop: Shop, workload: str) -> None:
    """What the worker's job does at its time."""
    shop.run("call orchestra.drain_sql('shop', %s, 1)", workload)


def verbs(shop: Shop) -> list[tuple[Any, ...]]:
    """What the ledger holds of operators, but what an apply did itself."""
    rows = shop.run("select verb, workload, actor, detail from orchestra.operator_log order by id")
    return [tuple(row) for row in rows]


def paused(shop: Shop) -> tuple[str, dict[str, bool]]:
    gates = dict(shop.run("select name, paused from orchestra.workload order by name"))
    return shop.one("select gate from orchestra.project"), gates


def operated(text: str) -> Any:
    """What a verb printed for machines, after its schema has seen it."""
    document = json.loads(text)
    Draft202012Validator(json.loads(schemas.text("operate"))).validate(document)
    return document
