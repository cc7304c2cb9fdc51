"""Runs a job of a workflow as GitHub's runner would: its steps in order, each `run` by bash, each `uses` of ours as
the composite action that it is, with the files and variables that a runner gives. For the few actions of others
something stands in: a checkout is a clone, an artifact is a folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from expressions import Contexts, fill, holds

ROOT = Path(__file__).parents[2]
OURS = re.compile(r"[\w-]+/orchestra@v\d+")


@dataclass
class Ended:
    """A job that ran: `log` is all that its steps printed, `summary` the page that people read."""

    code: int
    log: str
    summary: str
    outputs: dict[str, dict[str, str]]
    ran: list[str] = field(default_factory=list)
    job_outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Runner:
    """One machine. `tool` is a RUNNER_TEMP in which orchestra may be installed already, so that it is installed once
    for many jobs. `variables` are what GitHub sets for the run, `secrets` those that the run may see."""

    place: Path
    origin: Path
    artifacts: Path
    tool: Path
    variables: Mapping[str, str]
    event: Mapping[str, Any]
    secrets: Mapping[str, str]
    token: str
    revision: str = "main"
    """What is checked out: a branch, or `refs/pull/1/merge`."""
    shell_path: str = os.environ["PATH"]

    def run(
        self, workflow: Mapping[str, Any], name: str, needs: Mapping[str, Ended] | None = None
    ) -> Ended | None:
        """The job, or None where its `if` keeps it from running."""
        job = workflow["jobs"][name]
        contexts: dict[str, Any] = {
            "github": self._github(),
            "secrets": self.secrets,
            "needs": {
                n: {"outputs": e.job_outputs, "result": "failure" if e.code else "success"}
                for n, e in (needs or {}).items()
            },
            "steps": {},
        }
        failed = any(e.code for e in (needs or {}).values())
        if not holds(job.get("if"), contexts, failed=failed):
            return None
        run = _Job(self, contexts, self.place)
        for step in job["steps"]:
            run.step(step, contexts, run.workspace)
        ended = run.ended()
        ended.job_outputs = {k: fill(v, contexts) for k, v in job.get("outputs", {}).items()}
        return ended

    def _github(self) -> dict[str, Any]:
        return {
            "event": self.event,
            "event_name": self.variables["GITHUB_EVENT_NAME"],
            "repository": self.variables["GITHUB_REPOSITORY"],
            "sha": self.variables.get("GITHUB_SHA", ""),
            "token": self.token,
        }


class _Job:
    def __init__(self, runner: Runner, contexts: Contexts, place: Path) -> None:
        self._runner = runner
        self._contexts = contexts
        self.workspace = place / "workspace"
        self.workspace.mkdir(parents=True)
        self._files = place / "files"
        self._files.mkdir()
        (self._files / "event.json").write_text(json.dumps(runner.event), encoding="utf-8")
        self._summary = self._files / "summary.md"
        self._summary.touch()
        self._path = runner.shell_path
        self._log: list[str] = []
        self._ran: list[str] = []
        self.code = 0

    def ended(self) -> Ended:
        outputs = {name: dict(step["outputs"]) for name, step in self._contexts["steps"].items()}
        return Ended(self.code, "".join(self._log), self._summary.read_text("utf-8"), outputs, self._ran)

    def step(self, step: Mapping[str, Any], contexts: dict[str, Any], where: Path, **extra: str) -> None:
        """One step of a job, or of a composite action, whose contexts then are its own."""
        if not holds(step.get("if"), contexts, failed=bool(self.code)):
            return
        environment = {**extra, **{k: fill(str(v), contexts) for k, v in step.get("env", {}).items()}}
        given = {k: fill(str(v), contexts) for k, v in step.get("with", {}).items()}
        self._ran.append(step.get("name") or step.get("uses") or "run")
        outputs: dict[str, str] = {}
        if "run" in step:
            outputs = self._shell(fill(step["run"], contexts), where, environment)
        elif OURS.fullmatch(step["uses"]):
            outputs = self._composite(given, environment)
        else:
            self._other(step["uses"], given)
        if "id" in step:
            contexts["steps"][step["id"]] = {"outputs": outputs}

    def _composite(self, given: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
        action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
        unknown = given.keys() - action["inputs"].keys()
        assert not unknown, f"the action has no inputs {unknown}"
        missing = {n for n, i in action["inputs"].items() if i.get("required")} - given.keys()
        assert not missing, f"the action needs {missing}"
        own: dict[str, Any] = {"github": self._contexts["github"], "steps": {}}
        own["inputs"] = {
            name: given.get(name, fill(str(declared.get("default", "")), own))
            for name, declared in action["inputs"].items()
        }
        for step in action["runs"]["steps"]:
            self.step(step, own, self.workspace, **environment, GITHUB_ACTION_PATH=str(ROOT))
        return {name: fill(declared["value"], own) for name, declared in action["outputs"].items()}

    def _shell(self, script: str, where: Path, environment: Mapping[str, str]) -> dict[str, str]:
        """As `shell: bash` runs it, and with nothing of the environment that the tests run in."""
        output, paths = self._files / "output", self._files / "path"
        output.write_text("")
        paths.write_text("")
        whole = {
            "PATH": self._path,
            "HOME": str(self._files),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_EVENT_PATH": str(self._files / "event.json"),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_PATH": str(paths),
            "GITHUB_STEP_SUMMARY": str(self._summary),
            "RUNNER_TEMP": str(self._runner.tool),
            **self._runner.variables,
            **environment,
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=where,
            env=whole,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self._log.append(done.stdout)
        self.code = self.code or done.returncode
        for line in paths.read_text().splitlines():
            self._path = f"{line}:{self._path}"
        pairs = (line.partition("=") for line in output.read_text(encoding="utf-8").splitlines())
        return {name: value for name, _, value in pairs}

    def _other(self, uses: str, given: Mapping[str, str]) -> None:
        name, _, version = uses.partition("@")
        assert re.fullmatch(r"v\d+", version), f"{uses} is not pinned by its major version"
        match name:
            case "actions/checkout":
                self._checkout(given)
            case "actions/upload-artifact":
                target = self._runner.artifacts / given["name"]
                assert not target.exists(), "an artifact is written once in a run"
                shutil.copytree(given["path"], target)
            case "actions/download-artifact":
                shutil.copytree(self._runner.artifacts / given["name"], self.workspace / given["path"])
            case "actions/setup-python" | "github/codeql-action/upload-sarif":
                pass
            case _:
                raise AssertionError(f"nothing stands in for {uses}")

    def _checkout(self, given: Mapping[str, str]) -> None:
        depth = given.get("fetch-depth", "1")
        git = ["git", "-c", "advice.detachedHead=false", "-C", str(self.workspace)]
        fetch = [
            "fetch",
            "-q",
            *(["--depth", depth] if depth != "0" else []),
            f"file://{self._runner.origin}",
        ]
        for command in (["init", "-q"], [*fetch, self._runner.revision], ["checkout", "-q", "FETCH_HEAD"]):
            subprocess.run([*git, *command], check=True, capture_output=True)
