"""The keys of what a workload is lowered to: by them, `--workload NAME` finds all that is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestra import library
from orchestra.plan.compare import belongs

IN_SQL = """\
version: 1
project: shop
workloads:
  import:
    trigger:
      - manual
      - {schedule: {every: 5m}}
      - {schedule: {cron: "0 3 * * *"}}
      - {table: {name: public.product, on: [insert]}}
      - {table: {name: public.product, on: [delete]}}
    duration: {max: 5s}
    concurrency: {limit: 2}
    dead_letter_queue: import_failed
    access: {enqueue: [authenticated]}
    run: {sql: "select app.import(:payload)"}
"""
IN_STEPS = """\
version: 1
project: shop
workloads:
  import:
    trigger: [manual, {http: {auth: jwt}}]
    access: {progress: [authenticated]}
    steps: {one: {duration: {max: 5s}}}
"""
# Once in a project, whatever its workloads are.
SHARED = {"extension", "runtime", "project", "secret"}


@pytest.mark.parametrize("text", [IN_SQL, IN_STEPS], ids=["in SQL", "in steps"])
def test_all_that_is_made_for_a_workload_belongs_to_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "orchestra.yaml").write_text(text)
    program = library.compile(library.load(tmp_path / "orchestra.yaml"))
    others = {r.key for r in program if r.kind not in SHARED and not belongs(r.key, "import")}
    assert others == {"tick.5s", "housekeep.1m"}
