"""The command line as a process: endings that only a process has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cli_world import SPEC, process


def test_the_exit_codes_of_a_process(home: Path) -> None:
    assert process("check", cwd=home).returncode == 0
    assert process("check", "gone.yaml", cwd=home).returncode == 1
    assert process("nope", cwd=home).returncode == 64
    refused = process("apply", cwd=home)
    assert refused.returncode == 64
    assert "--auto-approve" in refused.stderr
    assert not (home / ".orchestra").exists(), "it is refused before anything is started"


def test_an_unreachable_database_is_one_line_without_the_password(home: Path) -> None:
    result = process("plan", "--db", "postgresql://me:hunter2@127.0.0.1:1/x", cwd=home)
    assert result.returncode == 1
    assert result.stderr.count("error:") == 1
    assert "hunter2" not in result.stderr + result.stdout


def test_a_reader_that_has_had_enough_is_no_fault(home: Path) -> None:
    root = str(Path(__file__).parents[2])
    many = "".join(
        f"  w{i}:\n    trigger: manual\n    duration: {{max: 5s}}\n    run: {{sql: select 1}}\n"
        for i in range(200)
    )
    (home / "orchestra.yaml").write_text(SPEC + many)
    with subprocess.Popen(
        [sys.executable, "-m", "orchestra", "explain"],
        cwd=home,
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        said = child.stderr.read()
        child.wait(30)
    assert "Traceback" not in said
    assert "error" not in said


def test_an_encoding_without_the_signs_is_no_fault(home: Path) -> None:
    (home / "orchestra.yaml").write_text(SPEC.replace("supplier's", "Lieferant 日本"), encoding="utf-8")
    result = process("compile", cwd=home, PYTHONIOENCODING="ascii")
    assert result.returncode == 0


def test_a_pipe_that_breaks_is_told_from_a_failure(home: Path) -> None:
    """What was done before it broke stays done, so it must not end as a failure does."""
    command = f"{sys.executable} -m orchestra schema | true; exit ${{PIPESTATUS[0]}}"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=home,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (141, b"")


def test_closed_streams_are_as_if_they_led_nowhere(home: Path) -> None:
    def run(line: str) -> subprocess.CompletedProcess[str]:
        command = f"{sys.executable} -m orchestra {line}"
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.run(
            ["bash", "-c", command], cwd=home, env=env, capture_output=True, text=True, check=False
        )

    empty = run("fmt - <&-")
    assert (empty.returncode, "the file is empty" in empty.stderr) == (1, True)
    for closed in (">&-", "2>&-", "<&- >&- 2>&-"):
        done = run(f"check --strict {closed}")
        assert (done.returncode, done.stderr) == (0, ""), closed
