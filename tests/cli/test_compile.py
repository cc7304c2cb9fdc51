"""`compile --out DIR`: what is written where, what is refused, and what is left alone."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from cli_world import Run

from orchestra.cli import files

EDGE = """\
version: 1
project: shop
workloads:
  mail:
    trigger: manual
    duration: {max: 5s}
  relay:
    trigger: {http: {auth: jwt}}
    duration: {max: 5s}
  purge:
    trigger: {schedule: {every: 5m}}
    duration: {max: 5s}
    run: {sql: "select 1"}
"""
CONFIG = """\
# Ours.
project_id = "shop"

[edge_runtime]
policy = "per_worker"   # as it should be
"""


@pytest.fixture
def edge(home: Path) -> Path:
    """A repository with a supabase folder, and a spec with two functions."""
    (home / "orchestra.yaml").write_text(EDGE)
    (home / "supabase").mkdir()
    (home / "supabase/config.toml").write_text(CONFIG)
    return home


def tree(folder: Path) -> dict[str, str]:
    return {str(f.relative_to(folder)): f.read_text() for f in sorted(folder.rglob("*")) if f.is_file()}


def said(result: object) -> str:
    return " ".join(result.stderr.split())  # type: ignore[attr-defined]


def test_sql_is_written_and_compared(run: Run, home: Path) -> None:
    text = run("compile").stdout
    assert "orchestra:shop:purge-sessions" in text
    missing = run("compile", "--out", "build", "--check")
    assert missing.exit_code == 1
    assert "does not exist" in missing.stderr
    assert run("compile", "--out", "build").exit_code == 0
    assert (home / "build/orchestra.sql").read_text() == text
    assert run("compile", "--out", "build", "--check").exit_code == 0
    (home / "build/orchestra.sql").write_bytes(text.replace("\n", "\r\n").encode())
    assert run("compile", "--out", "build", "--check").exit_code == 0, "line ends are the repository's"
    (home / "build/orchestra.sql").write_text(text.replace("*/15", "*/20"))
    stale = run("compile", "--out", "build", "--check")
    assert stale.exit_code == 1
    assert "build/orchestra.sql differs" in stale.stderr
    assert "+" in stale.stderr
    assert [p.name for p in (home / "build").iterdir()] == ["orchestra.sql"]


def test_sql_that_somebody_wrote_or_changed_is_not_overwritten(run: Run, home: Path) -> None:
    place = home / "build/orchestra.sql"
    place.parent.mkdir()
    place.write_text("-- a migration of ours\n")
    for force in ((), ("--force",)):
        refused = run("compile", "--out", "build", *force)
        assert refused.exit_code == 5
        assert "build/orchestra.sql would be overwritten (not made by orchestra" in said(refused)
    assert place.read_text() == "-- a migration of ours\n"
    place.unlink()
    assert run("compile", "--out", "build").exit_code == 0
    place.write_text(place.read_text() + "select 1;\n")
    refused = run("compile", "--out", "build")
    assert refused.exit_code == 5
    assert "take your change into the spec, or lose it with --force" in said(refused)
    assert run("compile", "--out", "build", "--force").exit_code == 0
    assert place.read_text() == run("compile").stdout


def test_without_a_directory_it_says_what_the_sql_is_not(run: Run, edge: Path) -> None:
    result = run("compile")
    assert result.exit_code == 0
    assert result.stdout.startswith("-- shop: background work")
    assert "--out supabase writes 2 Edge Functions too: mail, relay." in said(result)


def test_functions_and_their_entries_are_written_beside_the_sql(run: Run, edge: Path) -> None:
    result = run("compile", "--out", "supabase")
    assert result.exit_code == 0, result.stderr
    found = tree(edge / "supabase")
    assert found["orchestra.sql"] == run("compile").stdout
    assert found["config.toml"] == CONFIG + (
        "\n[functions.mail]\nverify_jwt = false # orchestra: shop\n"
        "\n[functions.relay]\nverify_jwt = false # orchestra: shop\n"
    )
    for name in ("mail", "relay"):
        assert {p for p in found if f"/{name}/" in p} == {
            f"functions/{name}/{file}" for file in ("deno.json", "handler.ts", "index.ts", "workload.gen.ts")
        }
    assert "functions/_shared/orchestra/mod.ts" in found
    assert "functions/purge/index.ts" not in found


def test_a_second_run_changes_nothing_and_check_is_content(run: Run, edge: Path) -> None:
    assert run("compile", "--out", "supabase").exit_code == 0
    before = {f: f.stat().st_mtime_ns for f in (edge / "supabase").rglob("*") if f.is_file()}
    again = run("compile", "--out", "supabase")
    assert (again.exit_code, said(again)) == (0, "supabase is up to date.")
    assert {f: f.stat().st_mtime_ns for f in (edge / "supabase").rglob("*") if f.is_file()} == before
    check = run("compile", "--out", "supabase", "--check")
    assert (check.exit_code, check.stdout, said(check)) == (0, "", "supabase is up to date.")


def test_check_names_each_file_and_writes_nothing(run: Run, edge: Path) -> None:
    assert run("compile", "--out", "supabase").exit_code == 0
    functions = edge / "supabase/functions"
    with (functions / "mail/index.ts").open("a") as file:
        file.write("// mine\n")
    (functions / "mail/handler.ts").unlink()
    (edge / "supabase/config.toml").write_text(CONFIG)
    spec = EDGE.replace("  relay:", "  relayed:")
    (edge / "orchestra.yaml").write_text(spec)
    before = tree(edge / "supabase")
    check = run("compile", "--out", "supabase", "--check")
    assert check.exit_code == 1
    for path, state in (
        ("orchestra.sql", "stale"),
        ("config.toml", "stale"),
        ("functions/mail/index.ts", "edited by hand"),
        ("functions/mail/handler.ts", "missing"),
        ("functions/relay/index.ts", "not of the spec any more"),
        ("functions/relayed/index.ts", "missing"),
    ):
        assert f"  supabase/{path}: {state}\n" in check.stderr
    assert "differ from what the spec compiles to" in said(check)
    assert tree(edge / "supabase") == before


def test_a_file_that_was_edited_by_hand_stops_everything(run: Run, edge: Path) -> None:
    assert run("compile", "--out", "supabase").exit_code == 0
    index = edge / "supabase/functions/mail/index.ts"
    written = index.read_text()
    index.write_text(written + "// mine\n")
    (edge / "orchestra.yaml").write_text(EDGE.replace("every: 5m", "every: 10m"))
    before = tree(edge / "supabase")
    refused = run("compile", "--out", "supabase")
    assert refused.exit_code == 5
    assert (
        "supabase/functions/mail/index.ts would be overwritten (edited by hand); nothing was written"
        in said(refused)
    )
    assert "move your change to handler.ts" in said(refused)
    assert tree(edge / "supabase") == before
    forced = run("compile", "--out", "supabase", "--force")
    assert forced.exit_code == 0
    assert index.read_text() == written
    assert "Wrote supabase/orchestra.sql." in forced.stderr


def test_a_handler_survives_every_regeneration(run: Run, edge: Path) -> None:
    assert run("compile", "--out", "supabase").exit_code == 0
    handler = edge / "supabase/functions/mail/handler.ts"
    handler.write_text("export default () => 'mine';\n")
    (edge / "orchestra.yaml").write_text(EDGE.replace("max: 5s", "max: 6s"))
    for more in ((), ("--force",)):
        assert run("compile", "--out", "supabase", *more).exit_code == 0
        assert handler.read_text() == "export default () => 'mine';\n"
    assert run("compile", "--out", "supabase", "--check").exit_code == 0


def test_a_renamed_workload_takes_its_files_along_but_not_the_handler(run: Run, edge: Path) -> None:
    assert run("compile", "--out", "supabase").exit_code == 0
    functions = edge / "supabase/functions"
    (functions / "mail/handler.ts").write_text("// mine\n")
    (edge / "orchestra.yaml").write_text(EDGE.replace("  mail:", "  post:\n    moved: {from: mail}"))
    result = run("compile", "--out", "supabase")
    assert result.exit_code == 0, result.stderr
    assert [f.name for f in (functions / "mail").iterdir()] == ["handler.ts"]
    assert (functions / "mail/handler.ts").read_text() == "// mine\n"
    assert "mail/handler.ts is no longer used: move it to functions/post/handler.ts" in said(result)
    assert "supabase functions delete mail" in said(result)
    assert "[functions.mail]" not in (edge / "supabase/config.toml").read_text()
    assert run("compile", "--out", "supabase", "--check").exit_code == 0


def test_when_the_last_function_goes_nothing_of_it_is_left(run: Run, edge: Path) -> None:
    sql_only = "version: 1\nproject: shop\nworkloads:\n" + EDGE[EDGE.index("  purge:") :]
    (edge / "orchestra.yaml").write_text(sql_only)
    assert run("compile", "--out", "supabase").exit_code == 0
    before = tree(edge / "supabase")
    (edge / "orchestra.yaml").write_text(EDGE)
    assert run("compile", "--out", "supabase").exit_code == 0
    (edge / "orchestra.yaml").write_text(sql_only)
    assert run("compile", "--out", "supabase").exit_code == 0
    assert tree(edge / "supabase") == before
    assert not (edge / "supabase/functions").exists()


def test_functions_that_somebody_wrote_are_not_touched(run: Run, edge: Path) -> None:
    hello = edge / "supabase/functions/hello"
    hello.mkdir(parents=True)
    for name in ("index.ts", "handler.ts", "deno.json"):
        (hello / name).write_text("mine\n")
    assert run("compile", "--out", "supabase").exit_code == 0
    (edge / "orchestra.yaml").write_text(EDGE.replace("  mail:", "  hello:"))
    refused = run("compile", "--out", "supabase", "--force")
    assert refused.exit_code == 5
    assert "supabase/functions/hello/index.ts: not made by orchestra for this project" in refused.stderr
    assert "rename the workload" in said(refused)
    assert "rename the workload" in said(run("compile", "--out", "supabase", "--check"))
    assert {f.read_text() for f in hello.iterdir()} == {"mine\n"}
    assert (edge / "supabase/functions/mail/index.ts").exists()


def test_two_projects_share_a_folder(run: Run, edge: Path) -> None:
    (edge / "second.yaml").write_text(
        EDGE.replace("shop", "second").replace("mail", "post").replace("relay", "pass")
    )
    assert run("compile", "--out", "supabase").exit_code == 0
    first = {p: t for p, t in tree(edge / "supabase").items() if "_shared" not in p and "/" in p}
    assert run("compile", "second.yaml", "--out", "supabase").exit_code == 0
    assert first.items() <= tree(edge / "supabase").items()
    assert "[functions.mail]" in (edge / "supabase/config.toml").read_text()
    for spec, file in (("orchestra.yaml", "orchestra.sql"), ("second.yaml", "orchestra.second.sql")):
        assert run("compile", spec, "--out", "supabase", "--check").exit_code == 0
        assert (edge / "supabase" / file).read_text() == run("compile", spec).stdout
    (edge / "second.yaml").write_text(EDGE.replace("shop", "second"))
    refused = run("compile", "second.yaml", "--out", "supabase")
    assert refused.exit_code == 5
    assert "it belongs to project shop" in said(refused)


def test_config_is_made_where_there_is_none(run: Run, edge: Path) -> None:
    """Without the entries, the platform would ask the database for a JWT."""
    assert run("compile", "--out", "elsewhere").exit_code == 0
    assert "[functions.mail]\nverify_jwt = false" in (edge / "elsewhere/config.toml").read_text()


def test_config_that_cannot_be_read_stops_everything(run: Run, edge: Path) -> None:
    (edge / "supabase/config.toml").write_text("[api\n")
    result = run("compile", "--out", "supabase")
    assert result.exit_code == 1
    assert "supabase/config.toml is no TOML" in said(result)
    assert tree(edge / "supabase") == {"config.toml": "[api\n"}


def test_a_policy_that_kills_background_work_is_pointed_out(run: Run, edge: Path) -> None:
    (edge / "supabase/config.toml").write_text(CONFIG.replace("per_worker", "oneshot"))
    result = run("compile", "--out", "supabase")
    assert result.exit_code == 0
    assert 'Write "per_worker".' in said(result)


@pytest.mark.parametrize("out", [".", "supabase/generated"])
def test_functions_go_where_they_are_deployed_from(run: Run, edge: Path, out: str) -> None:
    result = run("compile", "--out", out)
    assert result.exit_code == 64
    assert "write --out supabase" in said(result)
    assert tree(edge / "supabase") == {"config.toml": CONFIG}


def test_nothing_is_written_through_a_link_that_leads_out(run: Run, edge: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = edge / "supabase/functions"
    link.symlink_to(outside)
    result = run("compile", "--out", "supabase")
    assert result.exit_code == 1
    assert "leads out of supabase" in said(result)
    assert list(outside.iterdir()) == []
    assert not (edge / "supabase/orchestra.sql").exists()
    link.unlink()
    (edge / "supabase/lib").mkdir()
    link.symlink_to("lib")
    assert run("compile", "--out", "supabase").exit_code == 0
    assert (edge / "supabase/lib/mail/index.ts").exists()
    (edge / "config.toml").write_text(CONFIG)
    (edge / "supabase/config.toml").unlink()
    (edge / "supabase/config.toml").symlink_to(edge / "config.toml")
    assert run("compile", "--out", "supabase").exit_code == 1
    assert (edge / "config.toml").read_text() == CONFIG


def test_nothing_is_written_where_what_has_to_go_lies_outside(run: Run, edge: Path, tmp_path: Path) -> None:
    assert run("compile", "--out", "supabase").exit_code == 0
    mail = edge / "supabase/functions/mail"
    mail.rename(tmp_path / "outside")
    mail.symlink_to(tmp_path / "outside")
    before = tree(edge / "supabase")
    (edge / "orchestra.yaml").write_text(EDGE.replace("  mail:", "  post:"))
    result = run("compile", "--out", "supabase")
    assert result.exit_code == 1
    assert "leads out of supabase" in said(result)
    assert tree(edge / "supabase") == before


def test_a_directory_that_is_no_directory_is_said(run: Run, edge: Path) -> None:
    (edge / "taken").write_text("")
    assert run("compile", "--out", "taken").exit_code == 64
    (edge / "supabase/functions").write_text("")
    result = run("compile", "--out", "supabase")
    assert result.exit_code == 1
    assert "supabase/functions" in said(result)
    assert not (edge / "supabase/orchestra.sql").exists()


def test_a_folder_that_is_another_name_for_one_is_left_alone(run: Run, edge: Path) -> None:
    assert run("compile", "--out", "supabase").exit_code == 0
    before = tree(edge / "supabase")
    (edge / "supabase/functions/old-mail").symlink_to("mail")
    assert run("compile", "--out", "supabase").exit_code == 0
    assert {p: t for p, t in tree(edge / "supabase").items() if "old-mail" not in p} == before


def test_an_interrupt_tells_whether_anything_was_changed(
    run: Run, edge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Path.replace, []

    def stopped(written: Path, place: Path) -> None:
        calls.append(place)
        if len(calls) == 10:
            raise KeyboardInterrupt
        real(written, place)

    def stopped_before(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as before:
        before.setattr(files, "sweep", stopped_before)
        result = run("compile", "--out", "supabase")
    assert (result.exit_code, "Nothing was changed" in said(result)) == (130, True)
    assert tree(edge / "supabase") == {"config.toml": CONFIG}
    monkeypatch.setattr(Path, "replace", stopped)
    result = run("compile", "--out", "supabase")
    assert result.exit_code == 130
    assert "Some files in supabase are new and others are as they were: run compile again" in said(result)
    assert run("compile", "--out", "supabase").exit_code == 0
    assert run("compile", "--out", "supabase", "--check").exit_code == 0


def test_what_a_killed_compile_left_is_cleared_away(run: Run, edge: Path) -> None:
    assert run("compile", "--out", "supabase").exit_code == 0
    folder = edge / "supabase/functions/mail"
    old, new = (folder / f".index.ts.{name}.unfinished" for name in ("abc", "def"))
    for left in (old, new):
        left.write_text("half of")
    os.utime(old, (0, 0))
    (folder / "index.ts").unlink()
    assert run("compile", "--out", "supabase").exit_code == 0
    # The other one may be that of a compile beside this one.
    assert (old.exists(), new.exists()) == (False, True)


def test_a_disk_that_fills_up_half_way_changes_nothing(
    run: Run, edge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = files.beside, []

    def full(path: Path, text: str, **more: bool) -> Path:
        calls.append(path)
        if len(calls) == 30:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, text, **more)

    monkeypatch.setattr(files, "beside", full)
    result = run("compile", "--out", "supabase")
    assert result.exit_code == 1
    assert "No space left on device" in said(result)
    assert tree(edge / "supabase") == {"config.toml": CONFIG}
    assert [p.name for p in (edge / "supabase").iterdir()] == ["config.toml"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--check"], "--out DIR"),
        (["--force"], "--out DIR"),
        (["--out", "x", "--check", "--force"], "nothing to --force"),
    ],
)
def test_options_that_contradict_each_other(run: Run, edge: Path, args: list[str], words: str) -> None:
    result = run("compile", *args)
    assert result.exit_code == 64
    assert words in said(result)


def test_packages_of_the_user_stay_in_deno_json(run: Run, edge: Path) -> None:
    assert run("compile", "--out", "supabase").exit_code == 0
    settings = edge / "supabase/functions/mail/deno.json"
    fresh = settings.read_text()
    mine = fresh.replace('"imports": {', '"imports": {\n    "zod": "npm:zod@4",')
    settings.write_text(mine)
    assert run("compile", "--out", "supabase", "--check").exit_code == 0
    settings.write_text(mine.replace('"orchestra": "../_shared', '"orchestra": "../shared'))
    assert run("compile", "--out", "supabase", "--check").exit_code == 1
    assert run("compile", "--out", "supabase").exit_code == 0
    assert json.loads(settings.read_text()) == json.loads(mine)
    commented = "// mine\n" + fresh.replace('"orchestra": "../_shared', '"orchestra": "../shared')
    settings.write_text(commented)
    refused = run("compile", "--out", "supabase")
    assert refused.exit_code == 5
    assert "take the comments out" in said(refused)
    assert settings.read_text() == commented
    assert run("compile", "--out", "supabase", "--force").exit_code == 0
    assert settings.read_text() == fresh
