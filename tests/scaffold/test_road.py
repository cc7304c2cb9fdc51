"""From an empty folder to work that is done, with nothing but what `orchestra init` wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli import orchestra
from deno_tool import type_errors
from engines import Engine
from engines.waiting import eventually
from repositories import SUPABASE, repository

from orchestra.dev.ticker import Ticker


@pytest.mark.parametrize("files", [{}, SUPABASE], ids=["postgres", "supabase"])
def test_the_first_spec_is_applied_and_its_first_message_is_worked_off(
    files: dict[str, str], embedded: Engine, tmp_path: Path
) -> None:
    folder = repository(tmp_path / "new", files)
    for step in (
        ("init", "--auto-approve"),
        ("check", "--strict"),
        ("plan",),
        ("apply", "--auto-approve"),
        ("plan", "--detailed-exitcode"),
        ("compile", "--out", "supabase"),
    ):
        done = orchestra(*step, cwd=folder, db=embedded.dsn)
        assert done.code == 0, (step, done.text)
    if files:
        (folder / "supabase/functions/hello-function/index.ts").unlink()
        assert type_errors(folder / "supabase/functions") == ""
    embedded.execute("""select orchestra.send('hello', '{"name": "Ada"}')""")
    with Ticker(embedded.dsn):
        eventually(lambda: embedded.execute("select message from pgmq.a_hello") == [({"name": "Ada"},)])
    assert embedded.execute("select count(*) from orchestra.dead_letter") == [(0,)]
