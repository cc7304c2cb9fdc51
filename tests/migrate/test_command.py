"""orchestra migrate from the outside: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from apply.shop import HEAD, QUEUE, SHOP
from jsonschema import Draft202012Validator
from repo import Repo

from orchestra import runtime
from orchestra.cli import migrations, schemas

FIRST = HEAD.format(project="shop") + QUEUE
SECOND = FIRST.replace("5s", "6s")
NONE = HEAD.format(project="shop") + "workloads: {}\n"


def flat(text: str) -> str:
    """Without the line ends that a narrow terminal brings."""
    return " ".join(text.split())


def test_the_first_is_everything_and_the_next_only_what_changed(repo: Repo) -> None:
    assert repo.wrote(FIRST).name == "20270115080000_orchestra_shop.sql"
    second = repo.wrote(SECOND)
    assert second.name == "20270115080001_shop_change_import.sql"
    text = second.read_text()
    assert [line for line in text.splitlines() if line.startswith("-- update")] == [
        "-- update workload.import"
    ]
    assert "create schema" not in text
    assert text.startswith("-- shop: migration 20270115080001, made by orchestra 0.1.0.\n")


def test_nothing_is_written_where_nothing_changed(repo: Repo) -> None:
    repo.wrote(FIRST)
    before = repo.contents()
    done = repo.migrate(
        FIRST.replace("select 1", "select 1").replace("workloads:\n", "workloads:   # said anew\n")
    )
    assert done.exit_code == 0
    assert "No changes" in done.output
    assert "Nothing was written" in done.output
    assert repo.contents() == before


@pytest.mark.parametrize("epoch", ["0", "1700000000", "4000000000"])
def test_the_same_spec_and_lock_give_the_same_bytes(tmp_path: Path, epoch: str) -> None:
    """In two directories, from specs whose workloads stand in another order; the digits too."""
    results = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        repo = Repo(tmp_path / name)
        for spec in (SHOP, SHOP.replace("5s", "6s")):
            body = spec if name == "here" else _reordered(spec)
            assert repo.migrate(HEAD.format(project="shop") + body, epoch=epoch).exit_code == 0
        results.append(repo.contents())
    assert results[0] == results[1]
    assert len(results[0]) == 3


def _reordered(body: str) -> str:
    head, _, rest = body.partition("workloads:\n")
    blocks: list[str] = []
    for line in rest.splitlines(keepends=True):
        if line.startswith("  ") and not line.startswith("   "):
            blocks.append("")
        blocks[-1] += line
    return f"{head}workloads:\n" + "".join(reversed(blocks))


def test_the_clock_is_a_floor_and_no_more(repo: Repo) -> None:
    """Above every file of the folder, whoever wrote it; and above the clock."""
    folder = repo.out / "migrations"
    folder.mkdir(parents=True)
    (folder / "20991231235959_of_the_app.sql").write_text("select 1;\n")
    (folder / "README.md").write_text("not one of them\n")
    (folder / "21000101000000_in_a_folder").mkdir()
    (folder / "21000101000000_in_a_folder" / "up.sql").write_text("select 2;\n")
    repo.migrate(FIRST)
    assert repo.files[-1].name.startswith("21000101000001_")
    repo.migrate(SECOND, epoch=None)
    assert repo.files[-1].name.startswith("21000101000002_")
    assert (folder / "20991231235959_of_the_app.sql").read_text() == "select 1;\n"


def test_without_a_given_time_it_is_now(repo: Repo) -> None:
    repo.migrate(FIRST, epoch=None)
    assert "20260101000000" < repo.files[0].name[:14] < "20990101000000"


def test_old_files_are_never_touched(repo: Repo) -> None:
    first = repo.wrote(FIRST)
    stamp, text = first.stat().st_mtime_ns, first.read_bytes()
    repo.wrote(SECOND)
    repo.wrote(FIRST)
    assert (first.stat().st_mtime_ns, first.read_bytes()) == (stamp, text)


def test_a_name_is_made_fit_for_files(repo: Repo) -> None:
    done = repo.migrate(FIRST, "--name", "Björn's import; für alle/../x")
    assert done.exit_code == 0, done.output
    assert repo.files[0].name == "20270115080000_bjorn_s_import_fur_alle_x.sql"
    done = repo.migrate(SECOND, "--name", "…")
    assert done.exit_code == 64
    assert len(repo.files) == 1


def test_a_deletion_is_approved_when_it_is_written(repo: Repo) -> None:
    repo.wrote(FIRST)
    before = repo.contents()
    done = repo.migrate(NONE)
    assert done.exit_code == 5
    assert "approve it with --allow delete:" in flat(done.output)
    assert "(or --allow-destroy)" in flat(done.output)
    assert repo.contents() == before
    text = repo.wrote(NONE, "--allow-destroy").read_text()
    assert "drop_queue('import', 0)" in text


def test_an_approval_of_nothing_is_refused(repo: Repo) -> None:
    repo.wrote(FIRST)
    for word in ("messages:queue.import", "delete:queue.other", "messages:queue.import=x", "nonsense"):
        done = repo.migrate(SECOND, "--allow", word)
        assert (done.exit_code, len(repo.files)) == (64, 1), done.output


def test_what_is_protected_in_the_spec_is_not_removed_in_one_step(repo: Repo) -> None:
    guarded = FIRST.replace("    run:", "    protect: true\n    run:")
    repo.wrote(guarded)
    done = repo.migrate(NONE, "--allow-destroy")
    assert done.exit_code == 5
    assert "protected" in done.output
    repo.wrote(guarded.replace("true", "false"))
    repo.wrote(NONE, "--allow-destroy")


def test_a_queue_name_does_not_move_to_another_workload(repo: Repo) -> None:
    repo.wrote(FIRST)
    other = FIRST.replace("  import:", "  export:").replace("    run:", "    queue: {name: import}\n    run:")
    done = repo.migrate(other, "--allow-destroy")
    assert done.exit_code == 5
    assert "belongs to queue.import" in flat(done.output)


def test_a_broken_spec_or_none_is_said_and_writes_nothing(repo: Repo) -> None:
    assert repo.migrate(FIRST.replace("5s", "five")).exit_code == 1
    assert repo.orchestra("migrate", str(repo.root / "nowhere.yaml"), "--out", str(repo.out)).exit_code != 0
    assert not repo.out.exists()


def test_a_time_that_is_none_is_refused(repo: Repo) -> None:
    done = repo.migrate(FIRST, epoch="tomorrow")
    assert done.exit_code == 64
    assert "SOURCE_DATE_EPOCH is 'tomorrow'" in flat(done.output)


class TestCheck:
    def test_it_is_0_where_all_is_as_it_was_written(self, repo: Repo) -> None:
        repo.wrote(FIRST)
        before = repo.contents()
        for epoch in ("0", None, "4000000000"):
            assert repo.migrate(None, "--check", epoch=epoch).exit_code == 0
        assert repo.contents() == before

    def test_it_is_1_before_the_first(self, repo: Repo) -> None:
        done = repo.migrate(FIRST, "--check")
        assert done.exit_code == 1
        assert "the spec has no migration yet" in flat(done.output)
        assert not repo.out.exists()

    def test_it_is_1_with_what_differs(self, repo: Repo) -> None:
        repo.wrote(FIRST)
        done = repo.migrate(SECOND, "--check")
        assert done.exit_code == 1
        assert "workload.import" in done.output
        assert "differs from what its last migration leaves" in flat(done.output)

    @pytest.mark.parametrize(
        ("harm", "said"),
        [
            (lambda f: f.write_text(f.read_text() + "-- more\n"), "was edited after it was written"),
            (lambda f: f.unlink(), "was deleted after it was written"),
            (
                lambda f: f.rename(f.with_name("20270115080009_renamed.sql")),
                "was deleted after it was written",
            ),
        ],
    )
    def test_it_finds_an_old_file_that_is_not_as_it_was(self, repo: Repo, harm: Any, said: str) -> None:
        first = repo.wrote(FIRST)
        repo.wrote(SECOND)
        harm(first)
        done = repo.migrate(None, "--check")
        assert done.exit_code == 1
        assert said in flat(done.output)
        assert repo.migrate(FIRST).exit_code == 1
        assert repo.migrate(None).exit_code == 1

    def test_line_ends_as_windows_checks_them_out_are_no_edit(self, repo: Repo) -> None:
        first = repo.wrote(FIRST)
        for file in (first, repo.lock):
            file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
        assert repo.migrate(None, "--check").exit_code == 0

    def test_it_takes_no_approvals(self, repo: Repo) -> None:
        assert repo.migrate(FIRST, "--check", "--allow-destroy").exit_code == 64


class TestLock:
    def test_its_schema_takes_it(self, repo: Repo) -> None:
        repo.wrote(HEAD.format(project="shop") + SHOP)
        Draft202012Validator(json.loads(schemas.text("lock"))).validate(json.loads(repo.lock.read_text()))

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ('"format_version": 1', '"format_version": 2', "has format 2, and this orchestra reads 1"),
            ('"format_version": 1', '"format_version": "x"', "format_version is"),
            ('"project": "shop"', '"project": "other"', "belongs to project other"),
            ('"timeout_ms": 5000', '"timeout_ms": 5001', "it was edited or merged"),
            (f'"version": {runtime.VERSION}', '"version": 77', "speaks of version 77 of the runtime"),
            ('"queue.import": {', '"quay.import": {', "quay.import is no resource"),
            ('"name": "import"', '"nom": "import"', "queue.import lacks a field"),
            ("{", "[", "it is not JSON"),
            ('"migrations": [', '"migrations": 1, "more": [', "it has no migrations"),
            ('"state"', '"stat"', "a migration has no file, sha256 or state"),
            ('"project": "shop",', '"project": "shop", "project": "shop",', "a name stands in it twice"),
            (None, "", "it is not JSON"),
            (None, "[]", "it is no object"),
            (None, "[" * 100_000, "it is not JSON"),
            (None, "<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n", "holds a conflict of git"),
        ],
    )
    def test_a_lock_that_cannot_be_trusted_is_refused(
        self, repo: Repo, old: str | None, new: str, said: str
    ) -> None:
        repo.wrote(FIRST)
        text = repo.lock.read_text()
        assert old is None or old in text
        repo.lock.write_text(new if old is None else text.replace(old, new, 1))
        before = repo.contents()
        for args in ((), ("--check",)):
            done = repo.migrate(SECOND, *args)
            assert done.exit_code == 1
            assert said in flat(done.output), done.output
        assert repo.contents() == before

    def test_one_that_is_gone_does_not_begin_anew_beside_its_migrations(self, repo: Repo) -> None:
        repo.wrote(FIRST)
        repo.lock.unlink()
        done = repo.migrate(SECOND)
        assert done.exit_code == 1
        assert "that the lock does not know" in flat(done.output)

    def test_a_run_that_was_killed_before_the_lock_is_finished_by_the_next(self, repo: Repo) -> None:
        repo.wrote(FIRST)
        lock = repo.lock.read_bytes()
        repo.wrote(SECOND)
        expected = repo.contents()
        repo.lock.write_bytes(lock)
        assert repo.migrate(None, "--check").exit_code == 1
        done = repo.migrate(None, epoch="1900000000")
        assert done.exit_code == 0, done.output
        assert repo.contents() == expected
        assert repo.migrate(None, "--check").exit_code == 0


class TestBranches:
    """Two branches that both added a migration."""

    def branched(self, repo: Repo) -> tuple[str, str, str]:
        """Leaves the folder as one takes it: both files, and the lock of the other branch."""
        repo.wrote(FIRST)
        lock = repo.lock.read_text()
        mine = (
            FIRST
            + "  mine: {trigger: manual, duration: {max: 5s}, poll_interval: 1m, run: {sql: select 2}}\n"
        )
        theirs = mine.replace("mine", "theirs").replace("select 2", "select 3")
        repo.wrote(mine)
        kept = repo.lock.read_text()
        repo.lock.write_text(lock)
        (file,) = repo.files[1:]
        file.rename(repo.root / file.name)
        repo.migrate(theirs, epoch="1800000500")
        (repo.root / file.name).rename(file)
        both = mine + theirs.removeprefix(FIRST)
        return both, kept, repo.lock.read_text()

    def test_git_sees_a_conflict(self, repo: Repo) -> None:
        repo.wrote(FIRST)
        base = repo.lock.read_text()
        _, mine, theirs = self.branched(Repo(_new(repo.root / "second")))
        for name, text in (("base", base), ("mine", mine), ("theirs", theirs)):
            (repo.root / name).write_text(text)
        merged = subprocess.run(
            ["git", "merge-file", "-p", "mine", "base", "theirs"],
            cwd=repo.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert merged.returncode > 0
        repo.lock.write_text(merged.stdout)
        done = repo.migrate(None, "--check")
        assert done.exit_code == 1
        assert "holds a conflict of git" in flat(done.output)
        assert "take the lock of the branch that you merge into" in flat(done.output)

    def test_the_own_migration_is_removed_and_written_anew(self, repo: Repo) -> None:
        both, _, _ = self.branched(repo)
        done = repo.migrate(both)
        assert done.exit_code == 1
        assert (
            "20270115080001_shop_add_mine.sql is a migration of this project that the lock does not know"
            in flat(done.output)
        )
        (repo.out / "migrations" / "20270115080001_shop_add_mine.sql").unlink()
        assert repo.wrote(both).name == "20270115080821_shop_add_mine.sql"
        assert repo.migrate(None, "--check").exit_code == 0

    def test_one_that_databases_have_run_is_kept(self, repo: Repo) -> None:
        both, _, _ = self.branched(repo)
        assert repo.migrate(both, "--keep", "20270115080000_orchestra_shop.sql").exit_code == 64
        done = repo.migrate(both, "--keep", "20270115080001_shop_add_mine.sql")
        assert done.exit_code == 0, done.output
        assert [f.name[:14] for f in repo.files] == [
            "20270115080000",
            "20270115080001",
            "20270115080820",
            "20270115080821",
        ]
        assert repo.migrate(None, "--check").exit_code == 0


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_projects_share_a_folder_and_not_a_lock(repo: Repo) -> None:
    repo.wrote(FIRST)
    other = Repo(repo.root)
    other.spec_file = repo.root / "other.yaml"
    other.wrote(FIRST.replace("shop", "office").replace("import", "export"))
    assert {f.name for f in repo.out.glob("*.json")} == {
        "orchestra.shop.lock.json",
        "orchestra.office.lock.json",
    }
    assert [f.name for f in repo.files] == [
        "20270115080000_orchestra_shop.sql",
        "20270115080001_orchestra_office.sql",
    ]
    for each in (repo, other):
        assert each.migrate(None, "--check").exit_code == 0


def test_several_projects_at_once_are_written_all_or_none(repo: Repo) -> None:
    other = repo.root / "other.yaml"
    repo.spec_file.write_text(FIRST)
    other.write_text(FIRST.replace("shop", "office").replace("import", "export"))
    both = ("migrate", str(repo.spec_file), str(other), "--out", str(repo.out))
    assert repo.orchestra(*both, "--name", "x").exit_code == 64
    assert repo.orchestra(*both, "--check").exit_code == 1
    assert repo.orchestra(*both).exit_code == 0
    assert [f.name for f in repo.files] == [
        "20270115080000_orchestra_shop.sql",
        "20270115080001_orchestra_office.sql",
    ]
    repo.spec_file.write_text(SECOND)
    other.write_text(NONE.replace("shop", "office"))
    assert repo.orchestra(*both).exit_code == 5
    assert len(repo.files) == 2
    assert repo.orchestra(*both, "--allow-destroy").exit_code == 0
    assert len(repo.files) == 4
    assert repo.orchestra(*both, "--check").exit_code == 0


@pytest.mark.parametrize("args", [(), ("--check",)])
def test_what_a_machine_reads(repo: Repo, args: tuple[str, ...]) -> None:
    validator = Draft202012Validator(json.loads(schemas.text("migrate")))
    told = []
    for spec in (FIRST, SECOND, None):
        done = repo.migrate(spec, "--format", "json", *args)
        document = json.loads(done.stdout)
        validator.validate(document)
        told.append(
            (done.exit_code, document["status"], document["file"] is not None, len(document["changes"]))
        )
    if args:
        assert told == [(1, "differs", False, 9)] * 3
    else:
        assert told == [(0, "written", True, 9), (0, "written", True, 1), (0, "unchanged", False, 0)]


def test_a_folder_that_cannot_be_written_is_said(repo: Repo) -> None:
    repo.wrote(FIRST)
    before = repo.contents()
    (repo.out / "migrations").rename(repo.out / "elsewhere")
    (repo.out / "migrations").write_text("a file in the place of the folder\n")
    done = repo.migrate(SECOND)
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    (repo.out / "migrations").unlink()
    (repo.out / "elsewhere").rename(repo.out / "migrations")
    assert repo.contents() == before


def test_no_link_leads_it_out_of_its_folder(repo: Repo, tmp_path_factory: pytest.TempPathFactory) -> None:
    away = tmp_path_factory.mktemp("away")
    repo.out.mkdir()
    (repo.out / "migrations").symlink_to(away)
    done = repo.migrate(FIRST)
    assert done.exit_code == 1
    assert "leads out of" in flat(done.output)
    assert list(away.iterdir()) == []


def _race(folder: str, spec: str, barrier: Any) -> None:
    repo = Repo(Path(folder))
    barrier.wait()
    os._exit(repo.orchestra("migrate", spec, "--out", str(repo.out)).exit_code)


def test_two_at_once_write_one_migration(repo: Repo) -> None:
    repo.spec_file.write_text(FIRST)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    crew = [
        context.Process(target=_race, args=(str(repo.root), str(repo.spec_file), barrier)) for _ in range(3)
    ]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    assert [one.exitcode for one in crew] == [0, 0, 0]
    assert len(repo.files) == 1
    assert repo.migrate(None, "--check").exit_code == 0


def test_ctrl_c_leaves_both_files_or_none(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressed while the first of them is being renamed."""
    repo.wrote(FIRST)
    change = migrations.Tree.change

    def pressed(tree: Any, *args: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        change(tree, *args)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(migrations.Tree, "change", pressed)
    repo.migrate(SECOND)
    monkeypatch.undo()
    assert len(repo.files) == 2
    assert repo.migrate(None, "--check").exit_code == 0


def test_a_process_without_a_terminal_says_where_it_wrote(repo: Repo) -> None:
    repo.spec_file.write_text(FIRST)
    done = subprocess.run(
        [sys.executable, "-m", "orchestra", "migrate"],
        cwd=repo.root,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1800000000", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert "Wrote supabase/migrations/20270115080000_orchestra_shop.sql" in done.stderr
    assert "9 to add" in done.stdout
