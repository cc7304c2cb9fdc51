"""The log of `orchestra dev` as lines."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestra.dev.log.event import Event
from orchestra.dev.log.journal import Journal
from orchestra.report.cells import width
from orchestra.report.style import Style

ERROR = "message 1 failed: no address\n    at handler (file:///home/ada/shop/supabase/functions/mail/handler.ts:4:41)"


def written(columns: int, near: str = "") -> list[str]:
    lines: list[str] = []
    journal = Journal(lines.append, lambda: Style(width=columns, colour=False), near)
    journal.event(Event(datetime.now(UTC), "mail", "failed", ERROR))
    return "".join(lines).splitlines()


def test_files_of_the_folder_are_named_from_there() -> None:
    assert "at handler (supabase/functions/mail/handler.ts:4:41)" in written(120, "file:///home/ada/shop/")[1]
    assert "file:///home/ada/shop/" in written(120, "file:///home/grace/")[1]
    assert "file:///home/ada/shop/" in written(120)[1]


def test_no_line_is_wider_than_the_terminal() -> None:
    for columns in (40, 59, 60, 80, 120):
        assert max(width(line) for line in written(columns)) <= columns
