"""What becomes of the files that are there: ours are kept right, the user's are left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from emit_specs import load

from orchestra import pipeline
from orchestra.emit.functions import deno_json, mark
from orchestra.emit.functions.reconcile import Owner, State, reconcile

TEXT = """\
version: 1
project: shop
workloads:
  mail: {trigger: manual, duration: {max: 5s}}
  other: {trigger: manual, duration: {max: 5s}}
"""
OWNER = Owner("shop", None, {})


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    return pipeline.emit_functions(load(TEXT, tmp_path))


def told(
    wanted: dict[str, str], found: dict[str, str], owner: Owner = OWNER
) -> dict[str, tuple[State, str | None]]:
    """What is not as it should be: the state of each file, and the text that it is to get."""
    verdicts = reconcile(owner, wanted, found)
    return {v.path: (v.state, v.text) for v in verdicts if v.state is not State.CURRENT}


def without(files: dict[str, str], *folders: str) -> dict[str, str]:
    return {p: t for p, t in files.items() if p.split("/")[1] not in folders}


def test_nothing_is_to_be_done_twice(files: dict[str, str]) -> None:
    assert set(told(files, {})) == set(files)
    assert told(files, files) == {}


def test_other_line_ends_are_no_difference(files: dict[str, str]) -> None:
    assert told(files, {p: t.replace("\n", "\r\n") for p, t in files.items()}) == {}


def test_a_stale_file_is_written_anew_and_an_edited_one_is_not(files: dict[str, str]) -> None:
    path = "functions/mail/index.ts"
    old = mark.generated("// older\n", version="0.0.9", project="shop", workload="mail")
    assert told(files, {**files, path: old}) == {path: (State.STALE, files[path])}
    assert told(files, {**files, path: old + "// mine\n"}) == {path: (State.EDITED, files[path])}
    shared = "functions/_shared/orchestra/mod.ts"
    assert told(files, {**files, shared: files[shared] + "// mine\n"}) == {
        shared: (State.EDITED, files[shared])
    }


def test_a_function_of_somebody_else_is_never_ours(files: dict[str, str]) -> None:
    path = "functions/mail/index.ts"
    assert told(files, {**files, path: "Deno.serve(() => new Response());\n"})[path][0] is State.FOREIGN
    theirs = mark.generated("", version="0.1.0", project="theirs", workload="mail")
    assert told(files, {**files, path: theirs})[path][0] is State.FOREIGN
    # Folders that the spec does not name are not even looked at.
    strangers = {
        "functions/hello/index.ts": "",
        "functions/hello/handler.ts": "",
        "functions/hello/deno.json": "",
    }
    assert told(files, {**files, **strangers}) == {}


def test_a_handler_belongs_to_the_user_from_the_first_edit_on(files: dict[str, str]) -> None:
    path = "functions/mail/handler.ts"
    for text in ("", files[path] + "// mine\n", files[path].partition("\n")[2]):
        assert told(files, {**files, path: text}) == {}
    assert told(files, {**files, path: mark.scaffold("// as it was\n")}) == {path: (State.STALE, files[path])}


def test_what_the_spec_has_no_more_goes(files: dict[str, str]) -> None:
    wanted = without(files, "other")
    gone = {p: (State.ORPHANED, None) for p in files if "/other/" in p}
    assert told(wanted, files) == gone
    assert set(gone) == {
        f"functions/other/{n}" for n in ("deno.json", "handler.ts", "index.ts", "workload.gen.ts")
    }


def test_what_somebody_wrote_into_it_stays(files: dict[str, str]) -> None:
    wanted = without(files, "other")
    settings = json.dumps({"imports": {**json.loads(deno_json.fresh())["imports"], "mine": "npm:mine@1"}})
    found = {
        **files,
        "functions/other/handler.ts": "// mine\n",
        "functions/other/deno.json": settings,
        "functions/other/index.ts": files["functions/other/index.ts"] + "// mine\n",
        "functions/other/helper.ts": "// mine\n",
    }
    assert told(wanted, found) == {
        "functions/other/deno.json": (State.KEPT, None),
        "functions/other/handler.ts": (State.KEPT, None),
        "functions/other/index.ts": (State.EDITED, None),
        "functions/other/workload.gen.ts": (State.ORPHANED, None),
    }


def test_a_handler_that_was_renamed_is_told_where_to_go(files: dict[str, str]) -> None:
    found = {**files, "functions/other/handler.ts": "// mine\n"}
    verdicts = reconcile(Owner("shop", None, {"other": "mail"}), without(files, "other"), found)
    (kept,) = [v for v in verdicts if v.state is State.KEPT]
    assert kept.note == "move it to functions/mail/handler.ts"


def test_a_handler_of_what_runs_in_sql_now_is_told_too(files: dict[str, str]) -> None:
    wanted = {p: t for p, t in files.items() if p != "functions/mail/handler.ts"}
    assert told(wanted, files) == {"functions/mail/handler.ts": (State.ORPHANED, None)}
    assert told(wanted, {**files, "functions/mail/handler.ts": "// mine\n"}) == {
        "functions/mail/handler.ts": (State.KEPT, None)
    }


def test_the_runtime_goes_with_the_last_function_of_any_project(files: dict[str, str]) -> None:
    assert set(told({}, files)) == set(files)
    theirs = {"functions/x/index.ts": mark.generated("", version="0.1.0", project="theirs", workload="x")}
    assert set(told({}, {**files, **theirs})) == {p for p in files if "_shared" not in p}


def test_a_file_that_the_runtime_has_no_more_goes_and_a_strangers_stays(files: dict[str, str]) -> None:
    found = {
        **files,
        "functions/_shared/orchestra/former.ts": mark.shared("", version="0.0.9"),
        "functions/_shared/orchestra/mine.ts": "// mine\n",
    }
    assert told(files, found) == {"functions/_shared/orchestra/former.ts": (State.ORPHANED, None)}


def test_a_project_under_its_former_name_is_ours(files: dict[str, str], tmp_path: Path) -> None:
    former = pipeline.emit_functions(load(TEXT.replace("shop", "old-shop"), tmp_path / "former"))
    assert {state for state, _ in told(files, former, Owner("shop", "old-shop", {})).values()} == {
        State.STALE
    }
    assert {state for state, _ in told(files, former).values()} == {State.FOREIGN}


def test_settings_keep_what_is_the_users() -> None:
    fresh = deno_json.fresh()
    assert deno_json.updated(fresh) == fresh
    mine = {
        "imports": {"stripe": "npm:stripe@1", "mine": "npm:mine@2"},
        "compilerOptions": {"strict": False},
        "lock": False,
    }
    text = json.dumps(mine)
    merged = json.loads(deno_json.updated(text))
    assert merged["imports"] == {**json.loads(fresh)["imports"], "mine": "npm:mine@2"}
    assert (merged["lock"], merged["compilerOptions"]["strict"]) == (False, False)
    assert deno_json.updated(json.dumps(merged)) == json.dumps(merged)
    assert not deno_json.has_others(fresh)
    assert all(map(deno_json.has_others, (text, json.dumps(merged), "{", '{"imports": 7}')))


def test_settings_with_comments_are_read_and_never_rewritten() -> None:
    commented = (
        deno_json.fresh().replace("{\n", '{ // "mine"\n  /* , */\n', 1).replace("\n  }\n}", ",\n  },\n}")
    )
    assert commented != deno_json.fresh()
    assert deno_json.updated(commented) == commented
    with pytest.raises(deno_json.HasComments) as caught:
        deno_json.updated(commented.replace("postgres", "postgrest"))
    forced = json.loads(caught.value.text)["imports"]
    assert set(forced) == {*json.loads(deno_json.fresh())["imports"], "postgrest"}, (
        "--force costs comments only"
    )
