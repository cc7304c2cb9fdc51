"""New files: all of them, or none, whatever happens in between."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import contents

from orchestra.cli import files
from orchestra.cli.placing import place
from orchestra.errors import BlockedError, OrchestraError


def test_a_file_that_came_in_between_is_not_overwritten_and_the_others_go(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("somebody's\n")
    with pytest.raises(BlockedError):
        place({tmp_path / "new/a": "a", tmp_path / "b": "b"}, {})
    assert contents(tmp_path) == {"b": b"somebody's\n"}
    assert not (tmp_path / "new").exists()


def test_a_grown_file_gets_its_text_back_when_a_later_one_fails(tmp_path: Path) -> None:
    ignore = tmp_path / "ignore"
    ignore.write_text("a\r\n", newline="")
    (tmp_path / "b").write_text("")
    with pytest.raises(BlockedError):
        place({ignore: "a\r\nb\r\n", tmp_path / "b": "b"}, {ignore: "a\r\n"})
    assert contents(tmp_path) == {"b": b"", "ignore": b"a\r\n"}


def test_a_grown_file_that_was_changed_meanwhile_stays_so(tmp_path: Path) -> None:
    ignore = tmp_path / "ignore"
    ignore.write_text("theirs\n")
    with pytest.raises(BlockedError):
        place({ignore: "ours\n"}, {ignore: "before\n"})
    assert contents(tmp_path) == {"ignore": b"theirs\n"}


@pytest.mark.parametrize("written", range(3))
def test_ctrl_c_at_any_file_leaves_nothing(
    written: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, count = files.beside, iter(range(9))

    def beside(path: Path, text: str) -> Path:
        if next(count) == written:
            raise KeyboardInterrupt
        return real(path, text)

    monkeypatch.setattr(files, "beside", beside)
    with pytest.raises(KeyboardInterrupt):
        place({tmp_path / "x/a": "a", tmp_path / "x/y/b": "b", tmp_path / "c": "c"}, {})
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OrchestraError, match="nothing was written"):
        place({tmp_path / "a": "a", tmp_path / "file/b": "b"}, {})
    assert contents(tmp_path) == {"file": b""}
