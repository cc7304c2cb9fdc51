"""`orchestra fmt` as a process: what it writes, what it lists, and what it leaves alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli import orchestra

UGLY = "project: shop\nversion: 1\n"
GOOD = "version: 1\nproject: shop\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "orchestra.yaml"
    file.write_text(UGLY)
    return file


def test_it_writes_names_what_it_changed_and_keeps_mode_and_link(spec: Path, tmp_path: Path) -> None:
    spec.chmod(0o640)
    link = tmp_path / "linked" / "orchestra.yaml"
    link.parent.mkdir()
    link.symlink_to(spec)
    done = orchestra("fmt", cwd=link.parent)
    assert (done.code, done.out, done.err) == (0, "orchestra.yaml\n", "")
    assert link.is_symlink()
    assert (spec.read_text(), spec.stat().st_mode & 0o777) == (GOOD, 0o640)
    again = orchestra("fmt", cwd=tmp_path)
    assert (again.code, again.out) == (0, "")


def test_check_lists_and_diff_shows_and_neither_writes(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    done = orchestra("fmt", ".", "--check", cwd=tmp_path)
    assert (done.code, done.out) == (1, "orchestra.yaml\n")
    shown = orchestra("fmt", "--diff", cwd=tmp_path)
    assert shown.code == 0
    assert "-version: 1" in shown.out
    assert "+version: 1" in shown.out
    assert spec.read_text() == UGLY


def test_a_syntax_error_in_one_file_leaves_all_of_them(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [1\n")
    done = orchestra("fmt", ".", cwd=tmp_path)
    assert done.code == 1
    assert "bad.yaml:" in done.err
    assert "Nothing was written." in done.err
    assert spec.read_text() == UGLY


def test_stdin_goes_to_stdout(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "orchestra", "fmt", *arguments],
            input=b"\xef\xbb\xbf" + UGLY.replace("\n", "\r\n").encode(),
            env={"PATH": os.environ["PATH"]},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=False,
        )

    assert run("-").stdout == b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert run("-", "--check").returncode == 1
    assert run("-", "x.yaml").returncode == 64


def test_no_file_is_a_fault_of_the_command_line(tmp_path: Path) -> None:
    assert orchestra("fmt", "none.yaml", cwd=tmp_path).code == 64


def test_the_examples_are_formatted() -> None:
    examples = sorted((Path(__file__).parents[2] / "examples").glob("*/*.yaml"))
    done = orchestra("fmt", "--check", *examples)
    assert (done.code, done.out) == (0, "")
