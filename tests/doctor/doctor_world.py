"""`orchestra doctor` as a person runs it, and its answer by code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
from acceptance.cases import ROOT
from acceptance.cli import Ended, orchestra

SCHEMA = json.loads((ROOT / "schemas/doctor.v1.schema.json").read_text())

SQL_SPEC = """\
version: 1
project: shop
platform: {provider: postgres}
environments:
  production: {database: {env: PROD_DATABASE_URL}}
workloads:
  purge:
    trigger: {schedule: {cron: "0 3 * * *", timezone: Europe/Berlin}}
    duration: {max: 5s}
    run: {sql: "select 1"}
  import:
    summary: Import
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select 1"}
"""
EDGE_SPEC = """\
version: 1
project: shop
workloads:
  import:
    trigger: manual
    duration: {max: 5s}
  hook:
    trigger: {http: {auth: secret}}
    duration: {max: 5s}
"""


@dataclass(frozen=True)
class Found:
    """What was found, by code; one of several of a code is the last."""

    ended: Ended
    said: dict[str, Any]

    def state(self, code: str) -> str:
        return next((c["state"] for c in reversed(self.said["checks"]) if c["code"] == code), "not asked")

    def of(self, code: str) -> dict[str, str]:
        return next(c for c in reversed(self.said["checks"]) if c["code"] == code)

    @property
    def failed(self) -> list[str]:
        return [c["code"] for c in self.said["checks"] if c["state"] == "failed"]


def doctor(*arguments: str | Path, cwd: Path, db: str | None = None, valid: bool = True) -> Found:
    """Its JSON, which keeps to the schema and is alone on stdout."""
    ended = orchestra("doctor", *arguments, "--format", "json", cwd=cwd, db=db)
    said = json.loads(ended.out)
    jsonschema.validate(said, SCHEMA)
    assert ended.code == (1 if said["summary"]["failed"] else 0), ended.text
    assert sum(said["summary"].values()) == len(said["checks"])
    return Found(ended, said)
