"""`orchestra diff --base`: what a revision, a folder or a file held, against the spec at hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cli_world import Run, process
from click.testing import Result
from jsonschema import Draft202012Validator
from written_repository import Repository

from orchestra.cli import schemas

HEAD = "version: 1\nproject: shop\nplatform: {provider: postgres}\n"


def work(name: str, more: str = "", sql: str = "select 1") -> str:
    body = f"trigger: manual, duration: {{max: 5s}}, run: {{sql: '{sql}'}}"
    return f"  {name}: {{{body}{', ' + more if more else ''}}}\n"


ONE = HEAD + "workloads:\n" + work("one")
TWO = ONE + work("two")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A commit with one workload on main; then, not committed, a second one."""
    made = Repository(tmp_path / "repo")
    made.write("orchestra.yaml", ONE)
    made.commit()
    made.write("orchestra.yaml", TWO)
    monkeypatch.chdir(made.home)
    return made


def changes(result: Result) -> set[str]:
    """Of the workloads and queues: `create queue.two`."""
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    Draft202012Validator(json.loads(schemas.text("diff"))).validate(document)
    kinds = ("workload", "queue")
    return {
        f"{c['action']} {c['address']}" for c in document["changes"] if c["address"].split(".")[0] in kinds
    }


def diff(run: Run, *args: str) -> set[str]:
    return changes(run("diff", *args, "--format", "json"))


NEW = {"create workload.two", "create queue.two"}
GONE = {"delete workload.two", "delete queue.two"}


@pytest.mark.parametrize("word", ["main", "HEAD", "v1", "refs/heads/main", "@", "HEAD^0", ":/A change"])
def test_a_revision_is_read_without_touching_anything(run: Run, repo: Repository, word: str) -> None:
    repo.git("tag", "-a", "-m", "The first", "v1")
    before = repo.state()
    assert diff(run, "--base", word) == NEW
    assert repo.state() == before


def test_a_hash_and_its_beginning_are_revisions(run: Run, repo: Repository) -> None:
    whole = repo.git("rev-parse", "HEAD")
    assert diff(run, "--base", whole) == diff(run, "--base", whole[:8]) == NEW
    repo.commit()
    assert diff(run, "--base", "HEAD~1") == NEW
    assert diff(run, "--base", "HEAD") == set()


def test_the_base_is_said_with_its_commit(run: Run, repo: Repository) -> None:
    short = repo.git("rev-parse", "--short=7", "HEAD")
    text = run("diff", "--base", "main").stdout
    assert f"main ({short})" in text
    assert text.endswith("Difference: 6 to add, 0 to change, 0 to destroy.\n") or "to add" in text


def test_it_works_from_below_and_from_elsewhere(
    run: Run, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = repo.home / "app" / "src"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert diff(run, "--base", "main") == NEW
    assert diff(run, "../../orchestra.yaml", "--base", "main") == NEW
    monkeypatch.chdir(repo.home.parent)
    assert diff(run, "repo/orchestra.yaml", "--base", "main") == NEW
    assert diff(run, str(repo.home / "orchestra.yaml"), "--base", "main") == NEW


def test_a_folder_and_a_file_are_bases_too(run: Run, repo: Repository) -> None:
    repo.write("old/orchestra.yaml", ONE)
    assert diff(run, "--base", "old") == NEW
    assert diff(run, "--base", "./old/orchestra.yaml") == NEW
    assert diff(run, "old/orchestra.yaml", "orchestra.yaml") == NEW


def test_what_is_both_has_to_be_said(run: Run, repo: Repository) -> None:
    repo.write("main/orchestra.yaml", TWO)
    both = run("diff", "--base", "main")
    assert both.exit_code == 64
    said = " ".join(both.stderr.split())
    assert "main is a revision and a path" in said
    assert "--base ./main for the path" in said
    assert "--base refs/heads/main for the revision" in said
    assert diff(run, "--base", "./main") == set()
    assert diff(run, "--base", "refs/heads/main") == NEW


@pytest.mark.parametrize("word", ["--upload-pack=touch pwned", "-h", "--output=pwned", "--exec=touch pwned"])
def test_an_option_is_never_passed_on(run: Run, repo: Repository, word: str) -> None:
    result = run("diff", f"--base={word}")
    assert result.exit_code == 64
    assert "is no revision and no path" in " ".join(result.stderr.split())
    assert not (repo.home / "pwned").exists()


@pytest.mark.parametrize(
    "word", ["mian", "HEAD~9", "v9", "main..HEAD", "main:nowhere.yaml", "a\nb", "''", "$(touch x)"]
)
def test_what_does_not_exist_is_a_usage_error(run: Run, repo: Repository, word: str) -> None:
    result = run("diff", "--base", word)
    assert result.exit_code == 64
    assert "Traceback" not in result.output
    assert not (repo.home / "x").exists()


def test_a_name_that_is_nearly_right_is_guessed(run: Run, repo: Repository) -> None:
    assert "did you mean main?" in run("diff", "--base", "mian").stderr


def test_a_shallow_clone_says_how_to_deepen_it(
    run: Run, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit()
    clone = repo.home.parent / "clone"
    repo.git("clone", "-q", "--depth", "1", f"file://{repo.home}", str(clone))
    monkeypatch.chdir(clone)
    assert diff(run, "--base", "origin/main") == set()
    for word in ("HEAD~1", "origin/other"):
        result = run("diff", "--base", word)
        assert result.exit_code == 64
        assert "fetch-depth: 0" in " ".join(result.stderr.split())


def test_without_git_a_path_still_works(run: Run, repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("old.yaml", ONE)
    monkeypatch.setenv("PATH", str(repo.home))
    result = run("diff", "--base", "main")
    assert result.exit_code == 64
    assert "git is not installed" in result.stderr
    assert diff(run, "--base", "old.yaml") == NEW


def test_outside_of_a_repository_a_path_still_works(
    run: Run, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = repo.home.parent / "outside"
    outside.mkdir()
    (outside / "orchestra.yaml").write_text(TWO)
    (outside / "old.yaml").write_text(ONE)
    monkeypatch.chdir(outside)
    result = run("diff", "--base", "main")
    assert result.exit_code == 64
    assert "is in no git repository" in " ".join(result.stderr.split())
    assert diff(run, "--base", "old.yaml") == NEW


def test_a_repository_without_a_commit_has_no_revisions(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Repository(tmp_path / "young")
    made.write("orchestra.yaml", ONE)
    monkeypatch.chdir(made.home)
    assert run("diff", "--base", "HEAD").exit_code == 64


def test_a_bare_repository_has_no_files(run: Run, repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = repo.home.parent / "bare"
    repo.git("clone", "-q", "--bare", str(repo.home), str(bare))
    (bare / "orchestra.yaml").write_text(TWO)
    monkeypatch.chdir(bare)
    result = run("diff", "--base", "main")
    assert result.exit_code == 64
    assert "bare repository" in result.stderr


def test_a_spec_that_was_not_there_is_new_as_a_whole(run: Run, repo: Repository) -> None:
    (repo.home / "orchestra.yaml").unlink()
    repo.write("README", "Nothing here yet")
    first = repo.commit()
    repo.write("orchestra.yaml", ONE)
    assert diff(run, "--base", first) == {"create workload.one", "create queue.one"}
    assert "which has no spec of project shop" in " ".join(run("diff", "--base", first).stdout.split())


def test_a_spec_that_moved_is_found(run: Run, repo: Repository) -> None:
    repo.git("mv", "orchestra.yaml", "jobs.yaml")
    (repo.home / "infra").mkdir()
    repo.git("mv", "jobs.yaml", "infra/background.yaml")
    assert diff(run, "infra/background.yaml", "--base", "main") == NEW
    assert diff(run, "infra", "--base", "main") == NEW
    assert diff(run, "infra", "--base", "main:orchestra.yaml") == NEW


def test_a_spec_that_was_split_into_a_folder_is_the_same(run: Run, repo: Repository) -> None:
    (repo.home / "orchestra.yaml").unlink()
    repo.write("jobs/head.yaml", ONE)
    repo.write("jobs/more.yaml", "workloads:\n" + work("two"))
    assert diff(run, "jobs", "--base", "main") == NEW
    repo.commit()
    shutil.rmtree(repo.home / "jobs")
    repo.write("orchestra.yaml", ONE)
    assert diff(run, "--base", "main") == GONE


def test_a_part_that_was_deleted_is_missed(run: Run, repo: Repository) -> None:
    """A shell writes out `jobs/*.yaml` as the files of today."""
    (repo.home / "orchestra.yaml").unlink()
    repo.write("jobs/head.yaml", ONE)
    repo.write("jobs/more.yaml", "workloads:\n" + work("two"))
    repo.write("jobs/compose.yaml", "services: {db: {image: postgres}}\n")
    repo.write("jobs/other.yaml", "version: 1\nproject: other\nworkloads: {}\n")
    repo.commit()
    for name in ("more", "compose", "other"):
        (repo.home / "jobs" / f"{name}.yaml").unlink()
    assert diff(run, "jobs/head.yaml", "--base", "main") == GONE
    assert diff(run, "jobs", "--base", "main:jobs/head.yaml") == set()


def test_two_places_are_not_guessed_between(run: Run, repo: Repository) -> None:
    repo.write("a/x.yaml", ONE)
    repo.write("b/x.yaml", ONE)
    repo.commit()
    (repo.home / "orchestra.yaml").rename(repo.home / "new.yaml")
    repo.git("rm", "-q", "--cached", "orchestra.yaml")
    repo.commit()
    shutil.rmtree(repo.home / "a")
    repo.write("c/new.yaml", TWO)
    (repo.home / "new.yaml").unlink()
    result = run("diff", "c/new.yaml", "--base", "main")
    assert result.exit_code == 64
    assert "--base main:PATH" in " ".join(result.stderr.split())
    assert diff(run, "c/new.yaml", "--base", "main:b/x.yaml") == NEW


def test_a_pattern_cannot_be_looked_up(run: Run, repo: Repository) -> None:
    result = run("diff", "orchestra*.yaml", "--base", "main")
    assert result.exit_code == 64
    assert "name the folder of the spec" in result.stderr


def test_payload_schemas_come_from_the_same_revision(run: Run, repo: Repository) -> None:
    spec = (
        "version: 1\nproject: shop\nplatform: {plan: pro}\nworkloads:\n"
        "  one: {trigger: manual, duration: {max: 5s}, payload_schema: ../payloads/é.json}\n"
    )
    repo.write("jobs/orchestra.yaml", spec)
    repo.write("payloads/é.json", '{"type": "object"}')
    (repo.home / "orchestra.yaml").unlink()
    repo.commit()
    assert diff(run, "jobs/orchestra.yaml", "--base", "main") == set()
    repo.write("payloads/é.json", '{"type": "object", "required": ["sku"]}')
    assert diff(run, "jobs/orchestra.yaml", "--base", "main") == {"update workload.one"}
    repo.write("jobs/orchestra.yaml", spec.replace("é.json", "other.json"))
    (repo.home / "payloads" / "é.json").rename(repo.home / "payloads" / "other.json")
    assert diff(run, "jobs/orchestra.yaml", "--base", "main") == {"update workload.one"}


def test_paths_may_be_of_any_alphabet(run: Run, repo: Repository) -> None:
    name = "über uns/фон 'x' \"y\".yaml"
    repo.write(name, ONE)
    repo.commit()
    repo.write(name, TWO)
    (repo.home / "orchestra.yaml").unlink()
    assert diff(run, name, "--base", "main") == NEW
    assert diff(run, "über uns", "--base", "main") == NEW


def test_line_ends_make_no_difference(run: Run, repo: Repository) -> None:
    text = ONE.replace("'select 1'", '"select 1"')
    repo.write("orchestra.yaml", text.replace("\n", "\r\n"))
    repo.commit()
    repo.write("orchestra.yaml", text)
    assert diff(run, "--base", "main") == set()


def test_links_inside_the_repository_are_followed(run: Run, repo: Repository) -> None:
    repo.write("real/spec.yaml", ONE)
    (repo.home / "orchestra.yaml").unlink()
    (repo.home / "orchestra.yaml").symlink_to("real/spec.yaml")
    repo.commit()
    repo.write("real/spec.yaml", TWO)
    assert diff(run, "--base", "main") == NEW


def test_a_link_that_leads_out_is_an_error_with_its_place(run: Run, repo: Repository) -> None:
    (repo.home / "orchestra.yaml").unlink()
    (repo.home / "orchestra.yaml").symlink_to("/etc/hostname")
    repo.commit()
    (repo.home / "orchestra.yaml").unlink()
    repo.write("orchestra.yaml", TWO)
    result = run("diff", "--base", "main")
    assert result.exit_code == 1
    assert "main:orchestra.yaml" in result.stderr
    assert "leads out of the repository" in " ".join(result.stderr.split())


def test_a_spec_in_a_submodule_has_its_own_revisions(run: Run, repo: Repository) -> None:
    inner = Repository(repo.home.parent / "inner")
    inner.write("orchestra.yaml", ONE)
    inner.commit()
    inner.git("tag", "only-inside")
    repo.git("submodule", "-q", "add", f"file://{inner.home}", "sub")
    repo.commit()
    repo.write("sub/orchestra.yaml", TWO)
    assert diff(run, "sub", "--base", "HEAD") == NEW
    assert diff(run, "sub", "--base", "only-inside") == NEW
    assert run("diff", "--base", "only-inside").exit_code == 64


def test_what_a_hook_sets_does_not_lead_astray(
    run: Run, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repository(repo.home.parent / "other")
    other.commit(README="Another repository")
    for name, value in {
        "GIT_DIR": str(other.home / ".git"),
        "GIT_WORK_TREE": str(other.home),
        "GIT_INDEX_FILE": ".git/index.lock",
        "GIT_PREFIX": "deep/",
        "GIT_OBJECT_DIRECTORY": str(other.home / ".git" / "objects"),
    }.items():
        monkeypatch.setenv(name, value)
    assert diff(run, "--base", "main") == NEW


def test_it_runs_in_a_real_hook(repo: Repository) -> None:
    hook = repo.home / ".git" / "hooks" / "pre-commit"
    root = Path(__file__).parents[2]
    python = shutil.which("python", path=f"{root}/.venv/bin:{os.environ['PATH']}")
    hook.write_text(
        f"#!/bin/sh\nPYTHONPATH={root} {python} -m orchestra diff --base HEAD --format json > seen.json\n"
    )
    hook.chmod(0o755)
    repo.commit()
    assert json.loads((repo.home / "seen.json").read_text())["summary"]["add"] > 0


def test_a_worktree_is_a_working_tree(run: Run, repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = repo.home.parent / "tree"
    repo.git("worktree", "add", "-q", "-b", "topic", str(tree))
    (tree / "orchestra.yaml").write_text(TWO)
    monkeypatch.chdir(tree)
    assert diff(run, "--base", "main") == NEW


def test_the_commit_where_the_branch_began(run: Run, repo: Repository) -> None:
    """What main did since is none of the branch's doing."""
    repo.git("switch", "-q", "-c", "topic")
    repo.commit()
    repo.git("switch", "-q", "main")
    repo.commit(**{"orchestra.yaml": ONE + work("three")})
    repo.git("switch", "-q", "topic")
    assert diff(run, "--base", "main") == NEW | {"delete workload.three", "delete queue.three"}
    assert diff(run, "--base", "main", "--merge-base") == NEW
    assert run("diff", "--base", "./orchestra.yaml", "--merge-base").exit_code == 64
    repo.git("switch", "-q", "--orphan", "apart")
    repo.commit(**{"orchestra.yaml": TWO})
    result = run("diff", "--base", "main", "--merge-base")
    assert result.exit_code == 64
    assert "have no common commit" in " ".join(result.stderr.split())


def test_a_base_with_errors_shows_them_at_their_revision(run: Run, repo: Repository) -> None:
    repo.commit(**{"orchestra.yaml": TWO.replace("max: 5s", "maximum: 5s", 1)})
    repo.write("orchestra.yaml", TWO)
    result = run("diff", "--base", "main")
    assert result.exit_code == 1
    assert "main:orchestra.yaml:5:" in result.stderr
    assert "the spec at main" in result.stderr


def test_pipelines_get_exit_codes(run: Run, repo: Repository) -> None:
    assert run("diff", "--base", "main").exit_code == 0
    assert run("diff", "--base", "main", "--detailed-exitcode").exit_code == 2
    assert run("diff", "--base", "main", "--fail-on", "unapproved").exit_code == 0
    repo.commit()
    assert run("diff", "--base", "main", "--detailed-exitcode").exit_code == 0
    repo.write("orchestra.yaml", ONE)
    result = run("diff", "--base", "main", "--detailed-exitcode", "--fail-on", "unapproved")
    assert result.exit_code == 5
    assert "3 hazards need an approval" in result.stderr


def test_a_process_of_its_own_needs_no_home(repo: Repository) -> None:
    done = process("diff", "--base", "main", "--format", "json", cwd=repo.home, HOME="/nonexistent")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["destroy"] == 0


def test_git_that_fails_is_said(
    run: Run, repo: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A repository of another user, which git refuses to read."""
    real = shutil.which("git")
    tool = tmp_path / "bin" / "git"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {real} "$@"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    result = run("diff", "--base", "main")
    assert result.exit_code == 64
    assert "safe.directory" in result.stderr
    # As containers say that a directory is safe.
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "safe.directory")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "*")
    assert diff(run, "--base", "main") == NEW


def test_a_hostile_repository_is_read_and_not_run(run: Run, repo: Repository) -> None:
    """Filters, text converters and monitors of its configuration are programs; reading objects starts none."""
    for key, value in {
        "core.fsmonitor": "touch pwned",
        "core.pager": "touch pwned",
        "filter.x.smudge": "touch pwned",
        "diff.x.textconv": "touch pwned",
        "alias.ls-tree": "!touch pwned",
    }.items():
        repo.git("config", key, value)
    repo.write(".gitattributes", "*.yaml filter=x diff=x\n")
    subprocess.run(["git", "-c", "filter.x.smudge=cat", "add", ".gitattributes"], cwd=repo.home, check=True)
    (repo.home / "pwned").unlink(missing_ok=True)
    assert diff(run, "--base", "main") == NEW
    assert not (repo.home / "pwned").exists()
