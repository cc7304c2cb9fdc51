"""The small parts: files, git, progress."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestra.cli import files, git
from orchestra.cli.progress import Progress
from orchestra.errors import OrchestraError

HASH = "0123456789abcdef0123456789abcdef01234567"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a/b.sql"
    files.write(target, "one\n")
    target.chmod(0o640)
    files.write(target, "two\r\n")
    assert target.read_bytes() == b"two\r\n"
    assert target.stat().st_mode & 0o777 == 0o640
    with pytest.raises(UnicodeEncodeError):
        files.write(target, "\ud800")
    assert target.read_bytes() == b"two\r\n"
    assert [p.name for p in target.parent.iterdir()] == ["b.sql"]


def test_links_stay_and_so_do_pipes_and_devices(tmp_path: Path) -> None:
    """In a container whose user is root, --out /dev/null made a file of the device, for every process there."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a").write_text("one\n")
    (tmp_path / "link").symlink_to("real/a")
    files.write(tmp_path / "link", "two\n")
    assert (tmp_path / "link").readlink() == Path("real/a")
    assert (tmp_path / "real/a").read_text() == "two\n"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.write(pipe, "three\n", private=True)
    assert pipe.is_fifo()
    assert os.read(reader, 99) == b"three\n"
    os.close(reader)


def test_what_cannot_be_written_or_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OrchestraError, match="cannot write"):
        files.write(tmp_path / "file/x", "")
    with pytest.raises(OrchestraError, match="cannot read"):
        files.read(tmp_path / "gone")
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(OrchestraError, match="not UTF-8"):
        files.read(tmp_path / "bytes")


def test_the_commit_is_read_from_the_files_of_git(tmp_path: Path) -> None:
    repository = tmp_path / ".git"
    (repository / "refs/heads").mkdir(parents=True)
    (repository / "HEAD").write_text("ref: refs/heads/main\n")
    below = tmp_path / "a/b"
    below.mkdir(parents=True)
    assert git.commit(below) is None
    (repository / "packed-refs").write_text(f"# pack-refs\n{HASH} refs/heads/main\n")
    assert git.commit(below) == HASH
    (repository / "refs/heads/main").write_text(HASH[::-1] + "\n")
    assert git.commit(below) == HASH[::-1]
    (repository / "HEAD").write_text(HASH)
    assert git.commit(below) == HASH
    (repository / "HEAD").write_text("nonsense")
    assert git.commit(below) is None


def test_the_commit_of_a_worktree(tmp_path: Path) -> None:
    main = tmp_path / "main/.git"
    tree = main / "worktrees/x"
    tree.mkdir(parents=True)
    (main / "refs/heads").mkdir(parents=True)
    (main / "refs/heads/x").write_text(HASH)
    (tree / "HEAD").write_text("ref: refs/heads/x")
    (tree / "commondir").write_text("../..")
    (tmp_path / "x").mkdir()
    (tmp_path / "x/.git").write_text(f"gitdir: {tree}\n")
    assert git.commit(tmp_path / "x") == HASH


def test_progress_is_quiet_for_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 0.5, 1.5, 1.55, 2.0])
    progress = Progress(lambda: next(times), shown=True)
    progress(1, 4, "queue.a")
    assert capsys.readouterr().err == ""
    progress(2, 4, "queue.b")
    progress(3, 4, "queue.c")
    shown = capsys.readouterr().err
    assert "2/4  queue.b" in shown
    assert "queue.c" not in shown, "ten times a second at most"
    progress.end()
    assert capsys.readouterr().err == "\r\x1b[K"


def test_no_progress_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 9.0])
    Progress(lambda: next(times))(1, 2, "x")
    assert capsys.readouterr().err == ""
