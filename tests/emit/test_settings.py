"""A deno.json that cannot be read: it is never overwritten, and is said where it has to be mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestra.cli import main
from orchestra.emit.functions import deno_json
from orchestra.emit.functions.reconcile import Owner, State, reconcile

SPEC = """\
version: 1
project: shop
workloads:
  mail: {trigger: manual, duration: {max: 5s}}
"""
PATH = "functions/mail/deno.json"
MINE = deno_json.fresh().replace('"imports": {', '"imports": {\n    "zod": "npm:zod@4",')

BROKEN = {
    "a comma is missing": (MINE.replace('zod@4",', 'zod@4"'), "at line 4: expecting ',' delimiter"),
    "the same below comments": (
        "/* mine,\n   all of it */\n" + MINE.replace('zod@4",', 'zod@4" // the newest\n'),
        "at line 7: expecting ',' delimiter",
    ),
    "two imports": (
        MINE.replace("{\n", '{\n  "imports": {"mine": "npm:mine@1"},\n', 1),
        'where "imports" stands twice',
    ),
    "two versions": (MINE.replace('"zod"', '"zod": "npm:zod@3", "zod"'), 'where "zod" stands twice'),
    "imports that are none": ('{"imports": [], "lock": false}', 'where "imports" is no object'),
    "a list": ("[]", "at line 1: expecting an object"),
    "nothing": ("", "at line 1: expecting value"),
    "too deep": ('{"a":' * 100_000, "where it is too deep or too long for a reader of JSON"),
    "a number without end": (
        '{"a": ' + "1" * 5_000 + "}",
        "where it is too deep or too long for a reader of JSON",
    ),
}


@pytest.mark.parametrize(("text", "where"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_nobodys_to_overwrite(text: str, where: str) -> None:
    (verdict,) = reconcile(Owner("shop", None, {}), {PATH: deno_json.fresh()}, {PATH: text})
    assert (verdict.state, verdict.note) == (State.FOREIGN, f"mend the JSON {where}")
    assert deno_json.has_others(text)


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
def test_a_missing_comma_costs_nobody_their_packages(
    force: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orchestra.yaml").write_text(SPEC)
    (tmp_path / "supabase/functions/mail").mkdir(parents=True)
    settings = tmp_path / "supabase" / PATH
    broken, where = BROKEN["a comma is missing"]
    settings.write_text(broken)
    done = CliRunner().invoke(main, ["compile", "--out", "supabase", *force])
    assert done.exit_code == 5
    assert f"mend the JSON {where}; --force does not overwrite such a file" in " ".join(done.stderr.split())
    assert settings.read_text() == broken
    assert sorted(f.name for f in tmp_path.rglob("*") if f.is_file()) == ["deno.json", "orchestra.yaml"]
