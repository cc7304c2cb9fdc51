"""What is built is what is used: a wheel carries the SQL, the schemas and the stand-ins, and works outside the tree."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    place = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(place),
        str(ROOT),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = place.glob("orchestra-*.whl")
    return found


def _inside(folder: str, *endings: str) -> set[str]:
    return {
        str(f.relative_to(ROOT))
        for f in (ROOT / folder).rglob("*")
        if f.is_file() and f.name.endswith(endings) and "__pycache__" not in f.parts
    }


def test_every_file_that_the_program_reads_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = _inside("orchestra", ".sql", ".txt", ".py", ".ts", ".json", ".control", "py.typed")
    wanted |= _inside("orchestra/cli/completion/scripts", "bash", "zsh", "fish")
    wanted |= {f.replace("schemas/", "orchestra/_schemas/", 1) for f in _inside("schemas", ".json")}
    assert wanted <= names, sorted(wanted - names)


def test_a_wheel_works_without_the_tree(wheel: Path, tmp_path: Path) -> None:
    """Installed beside the packages that it needs, it checks and compiles a spec and prints its schema."""
    target = tmp_path / "installed"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(target),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    spec = tmp_path / "orchestra.yaml"
    spec.write_text(
        "version: 1\nproject: w\nplatform: {provider: postgres}\nworkloads:\n  a:\n    summary: A\n"
        '    trigger: {schedule: {every: 5m}}\n    duration: {max: 5s}\n    run: {sql: "select 1"}\n',
        encoding="utf-8",
    )
    program = f"import sys; sys.path.insert(0, {str(target)!r}); from orchestra.cli import main; main()"

    def run(*arguments: str) -> str:
        command = [sys.executable, "-P", "-c", program, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "No problems" in run("check")
    assert "call orchestra.fire('w', 'a', 1)" in run("compile")
    assert '"$schema"' in run("schema")
    spec.write_text(
        "version: 1\nproject: w\nworkloads:\n  a: {trigger: manual, duration: {max: 5s}}\n", encoding="utf-8"
    )
    run("compile", "--out", "supabase")
    functions = tmp_path / "supabase" / "functions"
    assert '"orchestra": "../_shared/orchestra/mod.ts"' in (functions / "a" / "deno.json").read_text("utf-8")
    runtime = {f.removeprefix("orchestra/runtime/edge/") for f in _inside("orchestra/runtime/edge", ".ts")}
    shared = functions / "_shared" / "orchestra"
    assert {str(f.relative_to(shared)) for f in shared.rglob("*") if f.is_file()} == runtime
