"""The committed pages are those that the rules make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchestra.check import RULES
from orchestra.check.docs import pages, write

FOLDER = Path(__file__).parents[2] / "docs" / "rules"


def test_the_pages_are_up_to_date(golden: Callable[[Path, str], None]) -> None:
    made = pages()
    for name, text in made.items():
        golden(FOLDER / name, text)
    assert sorted(p.name for p in FOLDER.glob("*.md")) == sorted(made)


def test_every_rule_has_a_page_and_a_line_in_the_index() -> None:
    made = pages()
    for rule in RULES:
        assert rule.title in made[f"{rule.code}.md"]
        assert f"[{rule.code}]({rule.code}.md)" in made["README.md"]


def test_writing_removes_pages_of_codes_that_are_no_more(tmp_path: Path) -> None:
    (tmp_path / "E999.md").write_text("gone", encoding="utf-8")
    write(tmp_path, {"E201.md": "here"})
    assert [p.name for p in tmp_path.iterdir()] == ["E201.md"]
