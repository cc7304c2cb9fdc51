"""`orchestra init` as a process, in the repositories that people have."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cli import orchestra
from repositories import ROOT, SUPABASE, contents, in_terminal, repository

from orchestra.spec.schema import schema_text

WITHOUT_ROOTS_RIGHTS = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if os.geteuid() == 0 and shutil.which("setpriv")
    else []
)
"""So that what nobody may enter is so for root, too."""


def init(folder: Path, *arguments: str) -> str:
    done = orchestra("init", *arguments, "--auto-approve", cwd=folder)
    assert done.code == 0, done.err
    return done.text


def project(folder: Path) -> str:
    return str(yaml.safe_load((folder / "orchestra.yaml").read_text("utf-8"))["project"])


def test_what_is_written_is_right_and_formatted_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop", remote="git@github.com:acme/corner-shop.git")
    init(folder)
    assert set(contents(folder)) == {
        ".github/workflows/orchestra.yml",
        ".gitignore",
        "orchestra.schema.json",
        "orchestra.yaml",
    }
    assert project(folder) == "corner-shop"
    assert orchestra("check", "--strict", cwd=folder).code == 0
    assert orchestra("fmt", "--check", cwd=folder).code == 0
    first = (folder / "orchestra.yaml").read_text("utf-8").splitlines()[0]
    assert (folder / first.partition("$schema=")[2]).read_text("utf-8") == schema_text()
    before = contents(folder)
    again = orchestra("init", "--auto-approve", cwd=folder)
    assert again.code == 5
    assert "orchestra.yaml is there already" in again.text
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"package.json": json.dumps({"name": "@acme/Web Shop"})}, "web-shop"),
        ({"pyproject.toml": '[project]\nname = "Mail_Er"\n'}, "mail-er"),
        ({"package.json": "{", "pyproject.toml": "["}, "zurich-laden"),
        ({"package.json": json.dumps({"name": "2024"})}, "zurich-laden"),
        (
            {"package.json": json.dumps({"name": "a", "dependencies": 5, "devDependencies": "@supabase/x"})},
            "a",
        ),
        ({"supabase/config.toml": 'project_id = "env(PROJECT)"\n'}, "zurich-laden"),
    ],
)
def test_the_name_comes_from_what_is_there(files: dict[str, str], name: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "12 Zürich Läden", files, git=False)
    init(folder)
    assert project(folder) == name


def test_a_folder_whose_name_makes_none_has_another(tmp_path: Path) -> None:
    folder = repository(tmp_path / "4711 日本")
    init(folder)
    assert project(folder) == "app"


def test_supabase_is_found_with_its_functions_and_migrations_and_stays_as_it_is(tmp_path: Path) -> None:
    folder = repository(tmp_path / "x", SUPABASE)
    text = init(folder)
    assert "0001_queue.sql" in text
    assert "orchestra import" in text
    assert "0002_other.sql" not in text
    spec = (folder / "orchestra.yaml").read_text("utf-8")
    assert project(folder) == "corner-shop"
    assert "provider: supabase, plan: free" in spec
    assert set(yaml.safe_load(spec)["workloads"]) == {"hello", "hello-function-2"}
    assert "#   hello-function\n" in spec
    assert "_shared" not in spec
    assert {k: contents(folder)[k] for k in SUPABASE} == {k: v.encode() for k, v in SUPABASE.items()}
    done = orchestra("compile", "--out", "supabase", cwd=folder)
    assert done.code == 0, done.err
    assert orchestra("compile", "--out", "supabase", "--check", cwd=folder).code == 0


def test_in_a_monorepo_the_spec_lies_beside_its_supabase_folder_and_the_pipeline_at_the_top(
    tmp_path: Path,
) -> None:
    folder = repository(tmp_path / "all", {f"apps/shop/{k}": v for k, v in SUPABASE.items()})
    text = init(folder, "--ci", "github")
    assert "cd apps/shop" in text
    assert (folder / "apps/shop/orchestra.yaml").is_file()
    workflow = yaml.safe_load((folder / ".github/workflows/orchestra.yml").read_text("utf-8"))
    assert workflow["jobs"]["check"]["steps"][1]["with"]["spec"] == "apps/shop/orchestra.yaml"
    assert ".orchestra/" in (folder / ".gitignore").read_text("utf-8")
    (folder / "apps/mail/supabase").mkdir(parents=True)
    (folder / "apps/mail/supabase/config.toml").write_text("")
    several = orchestra("init", "--auto-approve", cwd=folder)
    assert several.code == 64
    assert "apps/mail, apps/shop" in several.text


def test_a_path_with_signs_of_yaml_the_shell_and_the_host_stays_that_path(tmp_path: Path) -> None:
    name = """o'b "q" \\n #1: ${{ github.token }} $HOME"""
    folder = repository(tmp_path, {f"apps/{name}/supabase/config.toml": ""})
    spec = f"apps/{name}/orchestra.yaml"
    init(folder, "--ci", "github")
    workflow = yaml.safe_load((folder / ".github/workflows/orchestra.yml").read_text("utf-8"))
    for step in workflow["jobs"]["check"]["steps"][1:]:
        given = step["with"]["spec"]
        assert re.findall(r"\$\{\{.*?\}\}", given)[0] == "${{ '${{' }}"
        assert given.replace("${{ '${{' }}", "${{") == spec
    for file in (folder / "apps" / name).glob("orchestra.*"):
        file.unlink()
    init(folder, "--ci", "gitlab")
    script = yaml.safe_load((folder / ".gitlab-ci.yml").read_text("utf-8"))["orchestra"]["script"]
    assert [shlex.split(line) for line in script] == [
        ["orchestra", "ci", step, spec] for step in ("check", "diff")
    ]


def test_a_worktree_is_of_the_repository_it_was_made_from(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop", remote="https://github.com/acme/corner-shop.git")
    (folder / ".git/worktrees/wt").mkdir(parents=True)
    (folder / ".git/worktrees/wt/commondir").write_text("../..\n")
    tree = repository(tmp_path / "wt", {".git": f"gitdir: {folder}/.git/worktrees/wt\n"}, git=False)
    init(tree)
    assert project(tree) == "corner-shop"
    assert (tree / ".github/workflows/orchestra.yml").is_file()


def test_a_folder_that_may_not_be_entered_is_passed_by(tmp_path: Path) -> None:
    """As the data of a database in a container is, which belongs to another user."""
    folder = repository(tmp_path, {f"apps/shop/{k}": v for k, v in SUPABASE.items()})
    (folder / "volumes/data").mkdir(parents=True)
    (folder / "volumes/data").chmod(0)
    done = subprocess.run(
        [*WITHOUT_ROOTS_RIGHTS, sys.executable, "-m", "orchestra", "init", "--auto-approve"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "apps/shop/orchestra.yaml").is_file()


def test_what_is_no_file_is_in_the_way_and_is_not_waited_for(tmp_path: Path) -> None:
    folder = repository(tmp_path)
    os.mkfifo(folder / ".gitignore")
    done = orchestra("init", "--auto-approve", cwd=folder)
    assert (done.code, ".gitignore is no file" in done.text) == (1, True)
    (folder / ".gitignore").unlink()
    (folder / ".gitignore").write_bytes(b"# \xe4\n")
    done = orchestra("init", "--auto-approve", cwd=folder)
    assert (done.code, "not UTF-8" in done.text, "mend it, or rename it" in done.text) == (1, True, True)
    assert not (folder / "orchestra.yaml").exists()


def test_packages_of_a_folder_of_functions_are_none_and_names_count_whatever_their_case(
    tmp_path: Path,
) -> None:
    functions = {
        f"supabase/functions/{name}/index.ts": "" for name in ("Hello-Function", "node_modules", "a.b")
    }
    folder = repository(tmp_path, functions)
    init(folder)
    spec = (folder / "orchestra.yaml").read_text("utf-8")
    assert set(yaml.safe_load(spec)["workloads"]) == {"hello", "hello-function-2"}
    assert "#   Hello-Function\n  #   a.b\n  # To make" in spec


def test_names_of_environment_files_are_read_and_their_values_are_not_shown(tmp_path: Path) -> None:
    folder = repository(tmp_path, {".env": "DATABASE_URL=x\nexport PROD_SHOP_DATABASE_URL=s3cret\n"})
    text = init(folder)
    spec = (folder / "orchestra.yaml").read_text("utf-8")
    assert "{env: PROD_SHOP_DATABASE_URL}" in spec
    assert "s3cret" not in spec + text


@pytest.mark.parametrize(
    "before", ["node_modules\r\n# ours\r\nx", "x\n", "", "/.orchestra\norchestra-report/\n"]
)
def test_the_ignore_file_is_added_to_once_and_its_rest_stays(before: str, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_bytes(before.encode())
    folder = repository(tmp_path / "r")
    (folder / ".gitignore").symlink_to(real)
    init(folder)
    after = real.read_bytes().decode()
    assert (folder / ".gitignore").is_symlink()
    assert after.startswith(before)
    assert after.count(".orchestra") == 1
    assert "\r\n" not in before or after.count("\n") == after.count("\r\n")


def test_files_that_are_there_stay_and_are_named(tmp_path: Path) -> None:
    mine = {
        ".gitlab-ci.yml": "a: 1\n",
        ".pre-commit-config.yaml": "repos: []\n",
        "orchestra.schema.json": "{}\n",
    }
    folder = repository(tmp_path, mine)
    text = init(folder, "--pre-commit")
    assert {k: contents(folder)[k].decode() for k in mine} == mine
    assert text.count("is there and stays") == 3


@pytest.mark.parametrize(("ci", "schema"), [("github", "github-workflows"), ("gitlab", "gitlab-ci")])
def test_the_pipeline_is_one_by_the_published_schema(ci: str, schema: str, tmp_path: Path) -> None:
    folder = repository(tmp_path)
    init(folder, "--ci", ci, "--pre-commit")
    (file,) = [
        p for p in (folder / ".github/workflows/orchestra.yml", folder / ".gitlab-ci.yml") if p.is_file()
    ]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(file)]
    assert subprocess.run(command, check=False).returncode == 0
    judged = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", str(folder / ".pre-commit-config.yaml")],
        check=False,
    )
    assert judged.returncode == 0


def test_a_folder_that_cannot_be_written_leaves_nothing_anywhere(tmp_path: Path) -> None:
    folder = repository(
        tmp_path / "r", {"apps/shop/x": "", ".github/workflows": "a file where a folder should be\n"}
    )
    before = contents(folder)
    done = orchestra("init", "apps/shop/new", "--ci", "github", "--auto-approve", cwd=folder)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert contents(folder) == before
    assert not (folder / "apps/shop/new").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--project", "Not This", "--auto-approve"), "Not This"),
        (("--provider", "postgres", "--plan", "pro", "--auto-approve"), "--plan is about Supabase"),
        ((), "no terminal"),
        (("file", "--auto-approve"), "file is a file"),
    ],
)
def test_a_wrong_command_line_says_so_and_writes_nothing(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    folder = repository(tmp_path, {"file": ""})
    done = orchestra("init", *arguments, cwd=folder)
    assert done.code == 64
    assert said in done.text
    assert contents(folder) == {"file": b""}


def test_a_link_in_the_place_of_the_spec_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "orchestra.yaml").symlink_to("nowhere")
    assert orchestra("init", "--auto-approve", cwd=tmp_path).code == 5
    assert (tmp_path / "orchestra.yaml").readlink() == Path("nowhere")


def test_at_a_terminal_it_asks_and_takes_the_defaults_found(tmp_path: Path) -> None:
    folder = repository(tmp_path, SUPABASE)
    code, shown = in_terminal(folder, ["No Name", "", "", "pro", "github", ""])
    assert code == 0, shown
    assert "cannot be a project's name" in shown
    assert "plan: pro" in (folder / "orchestra.yaml").read_text("utf-8")
    assert (folder / ".github/workflows/orchestra.yml").is_file()


@pytest.mark.parametrize(
    ("answers", "code"), [(["", "", "", "n"], 1), (["", "^C"], 130), (["", "", "", "^C"], 130)]
)
def test_whoever_says_no_or_stops_it_gets_nothing(answers: list[str], code: int, tmp_path: Path) -> None:
    folder = repository(tmp_path)
    ended, shown = in_terminal(folder, answers)
    assert ended == code, shown
    assert "Traceback" not in shown
    assert contents(folder) == {}
