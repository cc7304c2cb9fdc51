"""What a spec compiles to: the same bytes each time, wherever it lies and however it is ordered or split."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.cases import CASES, EXAMPLE_CASES, Case
from acceptance.cli import orchestra
from orchestra import __version__, library, pipeline

IN_ONE_FILE = [case for case in CASES if not case.beside]
_RUNTIME = "-- runtime.orchestra\n"
_COMPILED = re.compile(rf"compiled by orchestra {re.escape(__version__)} \(sha256 [0-9a-f]{{16}}\)")


def without_runtime(sql: str) -> str:
    """The text without the runtime's own SQL and the tool's version, which change for other reasons than a spec."""
    before, _, rest = sql.partition(_RUNTIME)
    _, project, after = rest.partition("-- project.")
    assert project, "the project comes after the runtime"
    before = _COMPILED.sub("compiled by orchestra VERSION (sha256 …)", before, count=1)
    # Files are compared by lines, which must not hide a carriage return.
    return f"{before}{_RUNTIME}--   …\n\n{project}{after}".replace("\r", "␍")


def compiled(*paths: Path) -> str:
    spec = library.load(paths)
    return pipeline.emit_sql(library.compile(spec), spec)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_compiles_to_its_golden_file(case: Case, golden: Callable[[Path, str], None]) -> None:
    golden(case.golden, without_runtime(case.sql))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_compiles_to_the_same_bytes_twice(case: Case) -> None:
    assert compiled(case.spec_file, *case.beside) == case.sql


@pytest.mark.parametrize("case", EXAMPLE_CASES, ids=str)
def test_a_process_prints_the_same_bytes_from_another_directory(case: Case) -> None:
    done = orchestra("compile", case.spec_file.name, cwd=case.spec_file.parent)
    assert (done.code, done.out) == (0, case.sql)


@pytest.mark.parametrize("case", IN_ONE_FILE, ids=str)
def test_the_order_of_a_spec_does_not_matter(case: Case, tmp_path: Path) -> None:
    _with_payloads(case, tmp_path)
    turned = tmp_path / "orchestra.yaml"
    turned.write_text(_dumped(_reversed(_read(case))))
    assert compiled(turned) == case.sql


@pytest.mark.parametrize("case", IN_ONE_FILE, ids=str)
def test_the_split_into_files_does_not_matter(case: Case, tmp_path: Path) -> None:
    _with_payloads(case, tmp_path)
    whole = _read(case)
    workloads = whole.pop("workloads", {})
    head = {key: whole[key] for key in ("version", "project")}
    (tmp_path / "z.yaml").write_text(_dumped(whole))
    for number, (name, workload) in enumerate(workloads.items()):
        (tmp_path / f"{number}.yaml").write_text(_dumped({**head, "workloads": {name: workload}}))
    assert compiled(tmp_path) == case.sql


class _Loader(yaml.SafeLoader):
    """Without YAML 1.1's booleans, which would make a key called `on` true."""


_Loader.yaml_implicit_resolvers = {
    start: [(tag, pattern) for tag, pattern in resolvers if not (tag.endswith(":bool") and start in "oOyYnN")]
    for start, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _with_payloads(case: Case, folder: Path) -> None:
    """The schemas that a spec names by a path beside it."""
    payloads = case.spec_file.parent / "payloads"
    if payloads.exists():
        shutil.copytree(payloads, folder / "payloads")


def _read(case: Case) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(case.spec_file.read_text(encoding="utf-8"), _Loader)
    return loaded


def _dumped(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=1000)


def _reversed(item: Any) -> Any:
    """Every mapping backwards; lists keep their order, which means something."""
    if isinstance(item, dict):
        return {key: _reversed(item[key]) for key in reversed(list(item))}
    return [_reversed(i) for i in item] if isinstance(item, list) else item
