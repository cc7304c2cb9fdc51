"""action.yml, the hooks and the blocks of the docs are what their hosts take, and nothing in them can be turned into a
command by somebody who opens a pull request."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from actions_runner import OURS, ROOT
from documents import BLOCKS, Block
from expressions import names

from orchestra.cli.commands.ci import command

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def _schema(name: str, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{name}", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_action_is_one_by_the_published_schema(tmp_path: Path) -> None:
    done = _schema("github-actions", ROOT / "action.yml")
    assert done.returncode == 0, done.stdout
    broken = tmp_path / "action.yml"
    broken.write_text((ROOT / "action.yml").read_text("utf-8").replace("using: composite", "using: nothing"))
    assert _schema("github-actions", broken).returncode == 1


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_of_the_docs_is_one_by_the_published_schema(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "block.yml"
    file.write_text(block.whole, encoding="utf-8")
    if block.schema:
        done = _schema(block.schema, file)
        assert done.returncode == 0, done.stdout
    else:
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "validate-config", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_every_expression_of_the_action_names_something_that_is_declared() -> None:
    steps = {step["id"] for step in ACTION["runs"]["steps"] if "id" in step}
    for name in names((ROOT / "action.yml").read_text(encoding="utf-8")):
        context, *rest = name.split(".")
        if context == "inputs":
            assert rest[0] in ACTION["inputs"], name
        elif context == "steps":
            assert rest[0] in steps, name
        else:
            assert name == "github.token", name


def test_every_input_reaches_the_step_that_runs() -> None:
    (run,) = [step for step in ACTION["runs"]["steps"] if step.get("id") == "run"]
    handed_on = {name.removeprefix("inputs.") for value in run["env"].values() for name in names(value)}
    assert handed_on == ACTION["inputs"].keys() - {"python-version"}
    known = {parameter.envvar for parameter in command.params if parameter.envvar}
    variables = {name for name in run["env"] if name.startswith("ORCHESTRA_CI_")} - {"ORCHESTRA_CI_STEP"}
    assert variables == known


def test_every_output_is_one_that_a_step_writes() -> None:
    code = "".join(file.read_text("utf-8") for file in (ROOT / "orchestra" / "cli" / "ci").glob("*.py"))
    code += (ROOT / "orchestra" / "cli" / "commands" / "ci.py").read_text("utf-8")
    written = {name.replace("_", "-") for name in re.findall(r"\b([a-z_]+)=", code)}
    written |= {"add", "change", "destroy"}
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.run.outputs.{name} }}}}"
        assert name in written, name


def _runs(document: Any) -> list[str]:
    """Every script in a document, however deep."""
    if isinstance(document, dict):
        own = [document["run"]] if isinstance(document.get("run"), str) else []
        return own + [script for value in document.values() for script in _runs(value)]
    if isinstance(document, list):
        return [script for value in document for script in _runs(value)]
    return []


def test_no_script_has_an_expression_in_it_and_each_stops_at_the_first_fault() -> None:
    scripts = _runs(ACTION)
    assert len(scripts) == 2
    for script in scripts:
        assert names(script) == []
        assert script.startswith("set -euo pipefail\n")
    for block in BLOCKS:
        for script in _runs(block.document):
            assert names(script) == [], block


def test_every_script_that_the_action_runs_exists_and_is_quoted() -> None:
    for script in _runs(ACTION):
        for path in re.findall(r"\$GITHUB_ACTION_PATH/([\w/.-]+)", script):
            file = ROOT / path
            assert file.is_file()
            assert file.stat().st_mode & 0o111
            assert subprocess.run(["bash", "-n", str(file)], check=False).returncode == 0
        assert not re.search(r"""(?<!["\w])\$\w""", script), "a variable without quotes"


def test_actions_of_others_are_pinned_by_their_major_version() -> None:
    for document in (ACTION, *(block.document for block in BLOCKS if block.schema == "github-workflows")):
        for uses in _uses(document):
            assert re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", uses), uses


def _uses(document: Any) -> list[str]:
    if isinstance(document, dict):
        own = [document["uses"]] if isinstance(document.get("uses"), str) else []
        return own + [name for value in document.values() for name in _uses(value)]
    if isinstance(document, list):
        return [name for value in document for name in _uses(value)]
    return []


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.schema == "github-workflows"], ids=str)
def test_a_workflow_of_the_docs_takes_no_more_rights_than_it_needs(block: Block) -> None:
    document = block.document
    assert "pull_request_target" not in block.text
    if "permissions" in document:
        assert document["permissions"] == {}
        allowed = {"contents": "read", "pull-requests": "write"}
        for job in document["jobs"].values():
            assert job["permissions"].items() <= allowed.items()
    for job in document["jobs"].values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False
            # A secret goes to the one step that needs it, not to the whole job.
            if "secrets." in str(step.get("env", "")):
                assert OURS.fullmatch(step["uses"])
                assert step["with"]["command"] in ("plan", "apply")
        assert "env" not in job
    assert "env" not in document


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.schema == "github-workflows"], ids=str)
def test_a_workflow_of_the_docs_gives_the_action_only_what_it_takes(block: Block) -> None:
    for job in block.document["jobs"].values():
        ids = {step["id"] for step in job["steps"] if "id" in step}
        for step in job["steps"]:
            if OURS.fullmatch(step.get("uses", "")):
                assert step["with"].keys() <= ACTION["inputs"].keys()
                assert step["with"]["command"] in command.params[0].type.choices  # type: ignore[attr-defined]
            for name in names(str(step)):
                if name.startswith("steps."):
                    _, own, outputs, output = name.split(".")
                    assert own in ids
                    assert (outputs, output in ACTION["outputs"]) == ("outputs", True)


def test_the_hooks_are_some_by_pre_commits_own_judgement() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("path", "hooks"),
    [
        ("orchestra.yaml", {"fmt", "check", "compile-check", "migrate-check"}),
        ("services/shop/orchestra.yml", {"fmt", "check", "compile-check", "migrate-check"}),
        ("orchestra/mail.yaml", {"fmt", "check", "compile-check", "migrate-check"}),
        ("payloads/product.json", {"check", "compile-check", "migrate-check"}),
        ("supabase/functions/mail/index.ts", {"compile-check", "migrate-check"}),
        ("README.md", set()),
        ("myorchestra.yaml", set()),
    ],
)
def test_a_hook_runs_for_the_files_that_it_is_about(path: str, hooks: set[str]) -> None:
    found = {hook["id"] for hook in HOOKS if re.search(hook["files"], path)}
    assert found == {f"orchestra-{name}" for name in hooks}
