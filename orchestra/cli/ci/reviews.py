"""The steps that people read: diff and plan."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from orchestra.cli import files
from orchestra.cli.ci import children, failing, made_at, runner
from orchestra.cli.ci.step import FailOn, Step
from orchestra.errors import BlockedError, OrchestraError, UsageError

_CHANGES = 2


def plan(step: Step) -> int:
    """Against the live database. Saves the plan with the tree that it was made from."""
    saved = _fresh(step, "plan")
    code = children.shown("plan", *step.env, f"--out={saved}", "--detailed-exitcode", *step.tail)
    if code not in (0, _CHANGES):
        failing.say("plan", step, code)
        return code
    made_at.note(saved)
    runner.output(plan_file=saved)
    of = ("--", str(saved), *step.specs)
    return _review(step, "plan", saved, lambda form: ("show", f"--format={form}", *of))


def diff(step: Step) -> int:
    """Against another revision, without a database."""
    base = step.base or _base()

    def ask(form: str) -> Sequence[str]:
        return ("diff", f"--base={base}", f"--format={form}", *step.tail)

    saved = _fresh(step, "diff")
    code, text = children.said(*ask("json"))
    if code:
        failing.say("diff", step, code)
        return code
    saved.write_text(text, encoding="utf-8")
    children.shown(*ask("text"))
    return _review(step, "diff", saved, ask)


def _fresh(step: Step, kind: str) -> Path:
    """Where the result goes, with nothing left of an earlier one: what is carried on to apply is of one plan."""
    for left in (*step.directory.glob(f"{kind}.*"), step.directory / failing.FILE):
        left.unlink(missing_ok=True)
    return step.directory / f"{kind}.json"


def _review(step: Step, kind: str, saved: Path, ask: Callable[[str], Sequence[str]]) -> int:
    """Every report of it, then the comment, then the verdict: whatever stops the job, people can read why."""
    page = children.report(step.directory / f"{kind}.html", *ask("html"))
    text = children.report(step.directory / f"{kind}.md", *ask("markdown"))
    if runner.is_github():
        children.annotated(*ask("github"))
    runner.summary(text.read_text(encoding="utf-8"))
    facts = _facts(saved)
    runner.output(
        changes="true" if facts.changes else "false",
        **facts.tally,
        html_file=page,
        markdown_file=text,
        directory=step.directory,
    )
    commented = _comment(text, quietly=not facts.changes and not facts.blocked) if step.comment else 0
    return _verdict(step, facts) or commented


class _Facts:
    """What a program wants to know of a saved plan or difference."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.changes = bool(document["changes"])
        self.blocked: int = next((int(b["exit_code"]) for b in document.get("blockers", ())), 0)
        self.unapproved = any(
            hazard["needs_approval"] and not hazard["approved"]
            for change in document["changes"]
            for hazard in change["hazards"]
        )
        self.tally: dict[str, str | int | Path] = {
            verb: document["summary"][verb] for verb in ("add", "change", "destroy")
        }


def _facts(saved: Path) -> _Facts:
    return _Facts(json.loads(files.read(saved)))


def _comment(text: Path, *, quietly: bool) -> int:
    """No comment is made to say that there is nothing; one that says otherwise is brought up to date."""
    if not runner.is_pull_request():
        return 0
    return children.shown("comment", "--file", text, "--unless-fork", *(("--edit-only",) if quietly else ()))


def _verdict(step: Step, facts: _Facts) -> int:
    if step.fail_on is FailOn.NOTHING:
        return 0
    if facts.blocked:
        return facts.blocked
    if step.fail_on is FailOn.UNAPPROVED and facts.unapproved:
        return BlockedError.exit_code
    return _CHANGES if step.fail_on is FailOn.CHANGES and facts.changes else 0


def _base() -> str:
    """What a pull request is compared with: the commit on its branch that the merge was tried upon."""
    if _is_tried_merge() and _is_there("HEAD^2"):
        return "HEAD^1"
    branch = os.environ.get("GITHUB_BASE_REF")
    named = os.environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA") or (branch and f"origin/{branch}")
    if not named:
        raise UsageError(
            "there is nothing to compare with", "say which revision with --base, such as origin/main"
        )
    if not _is_there(named):
        raise UsageError(
            f"{named}, which the change would be merged into, is not in this clone",
            'fetch more of it: fetch-depth: 2 for actions/checkout, GIT_DEPTH: "0" on GitLab',
        )
    return named


def _is_tried_merge() -> bool:
    """Whether the host made the commit that is checked out. The newest commit of a branch may be a merge as well, of
    the target into it, and its first parent has all that is to be reviewed already."""
    if os.environ.get("GITHUB_ACTIONS"):
        return children.git("rev-parse", "HEAD") == os.environ.get("GITHUB_SHA")
    return os.environ.get("CI_MERGE_REQUEST_EVENT_TYPE") in ("merged_result", "merge_train")


def _is_there(revision: str) -> bool:
    return (
        children.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        is not None
    )


def require(plan_file: Path | None) -> Path:
    """The saved plan that apply needs."""
    if plan_file is None:
        raise UsageError("apply needs a saved plan", "give --plan-file, as an earlier plan step wrote it")
    if not plan_file.is_file():
        raise OrchestraError(
            f"there is no plan at {plan_file}", "did the job that plans end well, and was it downloaded?"
        )
    return plan_file
