"""Processes that work: each job gets an answer, whatever becomes of its process."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from crew_work import Chores, lost
from fleet_world import until

from orchestra.cli.crew import Crew

pytestmark = pytest.mark.parametrize("method", ["fork", "spawn"])


def answers(crew: Crew[str, str], number: int) -> dict[str, str]:
    found: dict[str, str] = {}
    while len(found) < number:
        found.update(crew.wait())
    return found


def test_workers_answer_and_are_used_again(method: str) -> None:
    with Crew(Chores(), lost, 2, method) as crew:
        for first in ("add 1 2", "add 3 4"):
            crew.begin(first)
        found = answers(crew, 2)
        crew.begin("add 5 6")
        found |= answers(crew, 1)
    assert found == {"add 1 2": "3", "add 3 4": "7", "add 5 6": "11"}


def test_one_that_dies_is_told_and_replaced(method: str) -> None:
    with Crew(Chores(), lost, 1, method) as crew:
        crew.begin("die")
        assert answers(crew, 1) == {"die": "lost with -9"}
        crew.begin("add 1 1")
        assert answers(crew, 1) == {"add 1 1": "2"}


def test_ctrl_c_interrupts_those_at_work_once_and_is_the_callers_again_afterwards(
    method: str, tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGINT)
    files = [tmp_path / "a", tmp_path / "b"]
    with Crew(Chores(), lost, 2, method) as crew:
        for file in files:
            crew.begin(f"wait {file}")
        until(lambda: all(file.exists() for file in files), "workers at work")
        os.kill(os.getpid(), signal.SIGINT)
        assert crew.interrupted
        assert set(answers(crew, 2).values()) == {"interrupted"}
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_ends_those_that_do_not_end(method: str, tmp_path: Path) -> None:
    file = tmp_path / "a"
    with Crew(Chores(), lost, 1, method) as crew:
        crew.begin(f"wait {file}")
        until(file.exists, "a worker at work")
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert answers(crew, 1) == {f"wait {file}": "lost with -15"}
