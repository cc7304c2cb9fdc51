"""Checking beside compiling: for large specs, and with nothing but the time to show for it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestra.cli import beside
from orchestra.cli.root import root

WORKLOADS = 2_100


def _spec(folder: Path, *, faulty: bool) -> Path:
    one = (
        '  w{n}:\n    trigger: {{schedule: {{cron: "{cron}"}}}}\n    duration: {{max: 5s}}\n'
        '    run: {{sql: "select {n}"}}\n'
    )
    text = "version: 1\nproject: big\nplatform: {provider: postgres}\nworkloads:\n"
    for n in range(WORKLOADS):
        text += one.format(n=n, cron="61 * * * *" if faulty and n % 700 == 5 else "7 * * * *")
    path = folder / "orchestra.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("faulty", [False, True])
def test_a_large_spec_compiles_to_the_same_with_one_core_and_with_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faulty: bool
) -> None:
    spec = _spec(tmp_path, faulty=faulty)
    results = []
    for cores in ({0}, {0, 1}):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: cores)
        result = CliRunner().invoke(root, ["compile", str(spec)])
        results.append((result.exit_code, result.stdout, result.stderr))
    assert results[0] == results[1]
    assert results[0][0] == (1 if faulty else 0)
    assert ("E404" in results[0][2]) is faulty


def test_what_a_child_answers_comes_back() -> None:
    parent = os.getpid()
    assert beside.Beside(lambda: (os.getpid() != parent, "answer")).result() == (True, "answer")


def test_the_work_of_a_child_that_dies_is_done_here() -> None:
    parent = os.getpid()

    def work() -> str:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return "done here"

    assert beside.Beside(work).result() == "done here"


def test_what_the_work_raises_is_raised_here() -> None:
    def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        beside.Beside(work).result()
