"""Files, folders and globs; and what is no file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestra.spec import find_spec, load_files, load_spec
from orchestra.spec.limits import MAX_FILE_BYTES

REPOSITORY = Path(__file__).parents[2]
A = "version: 1\nproject: shop\nworkloads:\n  a: {trigger: manual, duration: {max: 5s}}\n"
B = "workloads:\n  b: {trigger: manual, duration: {max: 5s}}\n"


def codes(*paths: str | Path) -> list[str]:
    return [d.code for d in load_spec(paths).diagnostics]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_is_called_as_the_user_called_it(folder: Path) -> None:
    (folder / "a.yaml").write_text(A)
    result = load_spec(["./a.yaml"])
    assert result.ok
    assert result.spec is not None
    assert result.spec.workloads[0].at().file == "./a.yaml"
    assert result.sources == {"./a.yaml": A}


def test_a_folder_is_all_its_yaml_files_but_not_those_below(folder: Path) -> None:
    (folder / "a.yaml").write_text(A)
    (folder / "b.yml").write_text(B)
    (folder / ".hidden.yaml").write_text("x: [")
    (folder / "notes.txt").write_text("x: [")
    (folder / "payloads").mkdir()
    (folder / "payloads" / "p.yaml").write_text("type: object")
    result = load_spec([folder])
    assert result.ok
    assert result.spec is not None
    assert [w.name for w in result.spec.workloads] == ["a", "b"]
    assert len(result.sources) == 2


def test_a_glob_may_go_down(folder: Path) -> None:
    (folder / "a.yaml").write_text(A)
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "b.yaml").write_text(B)
    spec = load_spec(["**/*.yaml"]).spec
    assert spec is not None
    assert [w.name for w in spec.workloads] == ["a", "b"]
    assert load_spec([f"{folder}/*.yaml"]).ok


def test_a_file_that_is_named_twice_is_read_once(folder: Path) -> None:
    (folder / "a.yaml").write_text(A)
    assert load_spec(["a.yaml", "./a.yaml", folder]).ok


def test_the_nearest_spec_above_is_found(folder: Path) -> None:
    (folder / "one" / "two").mkdir(parents=True)
    assert find_spec(folder / "one" / "two") in (None, *[p / "orchestra.yaml" for p in folder.parents])
    (folder / "orchestra.yaml").write_text(A)
    assert find_spec(folder / "one" / "two") == folder / "orchestra.yaml"
    (folder / "one" / "orchestra.yml").write_text(A)
    assert find_spec(folder / "one" / "two") == folder / "one" / "orchestra.yml"


def test_a_missing_file_is_a_finding(folder: Path) -> None:
    result = load_spec(["none.yaml"])
    assert [d.code for d in result.diagnostics] == ["E101"]
    assert "no such file" in result.diagnostics[0].message
    assert result.spec is None


def test_with_one_file_missing_there_is_no_spec_at_all(folder: Path) -> None:
    (folder / "a.yaml").write_text(A)
    assert load_spec(["a.yaml", "none.yaml"]).spec is None


@pytest.mark.parametrize("path", ["*.yaml", ".", "a.yaml/b.yaml", "x" * 5000, "nul\0.yaml", ""])
def test_paths_that_lead_nowhere_are_findings(folder: Path, path: str) -> None:
    (folder / "a.yaml").mkdir()
    found = load_spec([path]).diagnostics
    assert [d.code for d in found] == ["E101"]
    assert found[0].help


def test_links_that_lead_in_a_circle_are_a_finding(folder: Path) -> None:
    (folder / "x.yaml").symlink_to("y.yaml")
    (folder / "y.yaml").symlink_to("x.yaml")
    found = load_spec(["x.yaml"]).diagnostics
    assert [d.code for d in found] == ["E101"]
    assert "circle" in found[0].message


def test_a_link_that_leads_nowhere_is_a_finding(folder: Path) -> None:
    (folder / "x.yaml").symlink_to("nowhere.yaml")
    assert codes(folder) == ["E101"]


def test_a_pipe_is_refused_at_once(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    done = _load_in_process("pipe.yaml", folder)
    assert "E101 `pipe.yaml` cannot be read: it is not a regular file" in done.stdout


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_devices_are_refused_at_once(folder: Path, device: str) -> None:
    assert "E101" in _load_in_process(device, folder).stdout


def test_a_file_without_permission_is_a_finding(folder: Path) -> None:
    file = folder / "secret.yaml"
    file.write_text(A)
    file.chmod(0)
    # Root may read anything, so the reader becomes nobody once its modules are loaded.
    done = _load_in_process("secret.yaml", folder, before="os.getuid() or os.setuid(65534)")
    assert "E101 `secret.yaml` cannot be read: permission is denied" in done.stdout


def test_a_huge_file_is_refused_before_it_is_read(folder: Path) -> None:
    with (folder / "big.yaml").open("wb") as file:
        file.truncate(1 << 40)
    assert "E102" in _load_in_process("big.yaml", folder).stdout


def test_a_file_at_the_limit_is_read(folder: Path) -> None:
    (folder / "a.yaml").write_text(A + "#" * (MAX_FILE_BYTES - len(A)))
    assert codes("a.yaml") == []
    (folder / "a.yaml").write_text(A + "#" * (MAX_FILE_BYTES - len(A) + 1))
    assert codes("a.yaml") == ["E102"]


def test_other_encodings_are_told_apart(folder: Path) -> None:
    (folder / "a.yaml").write_bytes(A.encode("utf-16"))
    (finding,) = load_spec(["a.yaml"]).diagnostics
    assert (finding.code, "UTF-16" in finding.message) == ("E103", True)
    (folder / "a.yaml").write_bytes(b"version: 1\nproject: \xc3\xa9\xe9\n")
    (finding,) = load_spec(["a.yaml"]).diagnostics
    assert (finding.code, finding.span.line, finding.span.column) == ("E103", 2, 11)
    assert "0xe9" in finding.message


def test_a_byte_order_mark_is_dropped(folder: Path) -> None:
    (folder / "a.yaml").write_bytes(b"\xef\xbb\xbf" + A.encode())
    result = load_spec(["a.yaml"])
    assert result.ok
    assert result.spec is not None
    assert result.spec.at("version").column == 10


def test_loading_keeps_each_file_by_itself(folder: Path) -> None:
    (folder / "a.yaml").write_text(A)
    (folder / "b.yaml").write_text("x: [")
    loaded = load_files([folder])
    assert [p.tree is None for p in loaded.files] == [False, True]


def _load_in_process(path: str, cwd: Path, before: str = "None") -> subprocess.CompletedProcess[str]:
    """Load in a process of its own, which is ended if it hangs."""
    code = (
        "import os, sys\n"
        "from orchestra.spec import load_spec\n"
        "import orchestra.spec.codes\n"
        "load_spec(['/nonexistent/x.yaml'])\n"
        f"{before}\n"
        f"for d in load_spec([{path!r}]).diagnostics: print(d.code, d.message)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
        stdin=subprocess.DEVNULL,
    )
