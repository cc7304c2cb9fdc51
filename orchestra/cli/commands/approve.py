from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import console, files, options
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.plan.approvals import Approval, Approved
    from orchestra.plan.model import Blocker, Change

_WHOLE_FOLDER = (
    *(
        "reason",
        "by",
        "hazard",
        "expires",
        "base",
        "from_merge_base",
        "destroy",
        "db",
        "environment",
        "workload",
    ),
    *("adopt", "accept", "revert", "resume_paused", "on_delete"),
)
_WORDS = {"environment": "env", "from_merge_base": "merge-base"}


@click.command("approve")
@options.specs("[SPEC]... | PLAN.json", plans=True)
@options.workload
@options.database
@click.option(
    "--base", metavar="BASE", help="Approve what leads from BASE to the spec; no database is asked."
)
@click.option("--merge-base", "from_merge_base", is_flag=True, help="As of orchestra diff.")
@click.option("--destroy", is_flag=True, help="Approve what orchestra destroy would do.")
@click.option("--reason", metavar="TEXT", help="Why, for whoever reads it later.")
@click.option("--by", metavar="NAME", help="Who approves. Default: as git knows you.")
@click.option(
    "--hazard",
    multiple=True,
    metavar="HAZARD",
    help="Only this one, as the plan prints it; after = the most messages that may be lost, or all. Repeatable.",
)
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The last day on which it counts (UTC).",
)
@options.approval_files
@click.option("--list", "listing", is_flag=True, help="Show the approvals that there are, and write nothing.")
@options.output_format("text", "json")
@options.adoption
def command(specs: tuple[Path, ...], **choices: Any) -> None:
    """Write an approval of what a plan would delete or lose, as a file to be committed: approvals/TRANSITION.yaml
    beside the spec. It counts for every database to which exactly this happens, and for nothing else. The plan is
    one that was saved, or one made now against a database, or (--base) the difference to a git revision.

    \b
    Example:
      orchestra approve plan.json --reason "The supplier closed its feed"
      orchestra approve --base origin/main --reason "..." --hazard delete:workload.import
      orchestra approve --env production --reason "..." --expires 2026-12-31
      orchestra approve --list
    """
    _approve(specs, **choices)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be approved: all that a plan, or a difference, says of it."""

    project: str
    transition: str
    changes: tuple[Change, ...]
    blockers: tuple[Blocker, ...]


def _approve(paths: tuple[Path, ...], **choices: Any) -> None:
    from orchestra.cli.approvals import folders

    if choices["listing"]:
        _list(paths, choices)
        return
    reason = (choices["reason"] or "").strip()
    if not reason:
        raise UsageError("an approval says why", 'add --reason "…": it is shown wherever the approval counts')
    expires = _last_day(choices["expires"])
    asked, specs = _asked(paths, choices)
    hazards = [(c, h) for c in asked.changes for h in c.hazards if h.needs_approval]
    if not hazards:
        console.note("Nothing in this needs an approval, so none was written.")
        return
    approved = _chosen(asked.changes, choices["hazard"], offline=choices["base"] is not None)
    from orchestra.plan import approval_file
    from orchestra.plan.approvals import Approval

    path = folders(specs, choices["approvals"])[0] / f"{asked.transition}.yaml"
    made = Approval(
        str(path), asked.project, asked.transition, approved, reason, choices["by"] or _me(), expires
    )
    there = path.exists()
    files.write(path, approval_file.dump(made))
    if choices["form"] == "json":
        console.out(json.dumps(_encoded(made), indent=2))
        return
    console.out(f"{'Wrote anew' if there else 'Wrote'} {path}, which approves:")
    for one in made.approves:
        console.out(f"  {_said(one)}")
    left = len(hazards) - len(made.approves)
    if left:
        console.out(f"{left} more of this change stay{'s' if left == 1 else ''} without an approval.")
    if others := {b.code for b in asked.blockers} - {h.code for _, h in hazards}:
        console.note(
            f"The plan is blocked besides: {', '.join(sorted(others))}; no approval helps against that."
        )
    console.out("Commit it: plans of this transition need no flag then.")


def _asked(paths: tuple[Path, ...], choices: dict[str, Any]) -> tuple[_Asked, tuple[Path, ...]]:
    """What is approved, and the specs beside which the file belongs."""
    if len(paths) == 1 and paths[0].suffix == ".json":
        return _of_saved(paths[0], choices), ()
    if choices["base"] is not None:
        return _of_difference(paths, choices), paths
    if choices["from_merge_base"]:
        raise UsageError(
            "--merge-base says where to look at a base, and there is none", "add --base origin/main"
        )
    return _of_database(paths, choices), paths


def _of_saved(path: Path, choices: dict[str, Any]) -> _Asked:
    from orchestra.plan.transition import FORM
    from orchestra.report import plan_json

    for name in (
        "db",
        "environment",
        "base",
        "destroy",
        "workload",
        "adopt",
        "on_delete",
        "accept",
        "revert",
        "resume_paused",
        "from_merge_base",
    ):
        if choices.get(name):
            word = _WORDS.get(name, name.replace("_", "-"))
            raise UsageError(
                f"--{word} goes with a plan that is made now", f"leave it out: {path} says it all"
            )
    plan = plan_json.load(files.read(path))
    if plan.transition and not FORM.fullmatch(plan.transition):
        raise UsageError(
            f"{path} has no transition of orchestra's", "make a new one: orchestra plan --out FILE"
        )
    if not plan.transition and plan.changes:
        raise UsageError(
            f"{path} is of a format that knew no transitions", "make a new one: orchestra plan --out FILE"
        )
    return _Asked(plan.project, plan.transition, plan.changes, plan.blockers)


def _of_difference(paths: tuple[Path, ...], choices: dict[str, Any]) -> _Asked:
    from orchestra import pipeline
    from orchestra.cli.base import find
    from orchestra.cli.specs import require

    for name in ("db", "environment", "destroy", "workload", "adopt", "accept", "revert", "resume_paused"):
        if choices.get(name):
            word = "env" if name == "environment" else name.replace("_", "-")
            raise UsageError(f"--{word} asks a database, and --base asks none", "give only one of the two")
    after = require(paths)
    base = find(choices["base"], paths, after, from_merge_base=choices["from_merge_base"])
    wanted = pipeline.PlanOptions(environment="", on_delete=choices.get("on_delete"))
    found = pipeline.difference(base.spec, after, wanted, base=base.words)
    return _Asked(found.project, found.transition, found.changes, found.blockers)


def _of_database(paths: tuple[Path, ...], choices: dict[str, Any]) -> _Asked:
    from orchestra import pipeline
    from orchestra.cli import planning
    from orchestra.cli.database import choose
    from orchestra.cli.specs import require

    spec = require(paths, None if choices["destroy"] else choices["workload"])
    chosen = choose(choices["db"], choices["environment"], spec, paths)
    names = ("workload", "adopt", "resume_paused", "accept", "revert", "on_delete")
    wanted = planning.options(chosen, **{name: choices[name] for name in names if name in choices})
    with planning.connected(chosen) as connection:
        if choices["destroy"]:
            plan = pipeline.destroy_plan(connection, spec.project, wanted)
        else:
            plan = pipeline.plan(connection, spec, wanted)
    return _Asked(plan.project, plan.transition, plan.changes, plan.blockers)


def _chosen(changes: Sequence[Change], words: Sequence[str], *, offline: bool) -> tuple[Approved, ...]:
    """The hazards that are approved, all of them or those that were named, each with its bound."""
    from orchestra.ir.program import Address
    from orchestra.plan.approval_file import ALL
    from orchestra.plan.approvals import Approved
    from orchestra.plan.hazards import amount

    known = {(h.code, c.address): h for c in changes for h in c.hazards if h.needs_approval}
    named: dict[tuple[str, Address], str] = {}
    for word in words:
        code, _, rest = word.removeprefix("--allow ").partition(":")
        address, _, bound = rest.partition("=")
        key = (code, Address.parse(address))
        if key not in known:
            listed = ", ".join(f"{c}:{a}" for c, a in known)
            raise UsageError(f"--hazard {word}: this change has no such hazard", f"it has {listed}")
        if bound and bound != ALL and not bound.isdecimal():
            raise UsageError(
                f"--hazard {word}: {bound!r} is no number of messages", f"write a number, or {ALL}"
            )
        named[key] = bound
    made = []
    for key, hazard in known.items():
        if named and key not in named:
            continue
        bound = named.get(key, "")
        at_most = None if bound == ALL else int(bound) if bound else amount(hazard)
        if at_most is None and not bound:
            raise UsageError(
                f"more messages are at stake in {key[1]} than were counted",
                f"say that you mean all of them: --hazard {key[0]}:{key[1]}={ALL}"
                " (and name every other hazard that you approve)",
            )
        if offline and not bound and key[0] != "delete":
            console.note(
                f"{key[0]} of {key[1]} is approved as long as it is about no message at all; for more say how "
                f"many: --hazard {key[0]}:{key[1]}=1000"
            )
        made.append(Approved(*key, at_most))
    return tuple(made)


def _last_day(given: datetime | None) -> date | None:
    if given is None:
        return None
    if given.date() < datetime.now(UTC).date():
        raise UsageError(f"{given:%Y-%m-%d} is over", "give --expires a day to come, or leave it out")
    return given.date()


def _me() -> str:
    """`Ann Example <ann@example.com>`, as git would sign a commit here."""
    from orchestra.cli import revision

    said = []
    for key in ("user.name", "user.email"):
        try:
            said.append(revision.run(Path.cwd(), "config", "--get", key).decode("utf-8", "replace").strip())
        except (revision.GitFailure, UsageError):
            said.append("")
    name, email = said
    if not name and not email:
        raise UsageError("git does not know who you are", 'say it: --by "Ann Example"')
    return f"{name} <{email}>" if name and email else name or email


def _list(paths: tuple[Path, ...], choices: dict[str, Any]) -> None:
    from orchestra.cli.approvals import committed

    if given := [name for name in _WHOLE_FOLDER if choices.get(name)]:
        word = _WORDS.get(given[0], given[0].replace("_", "-"))
        raise UsageError(
            f"--list shows the approvals that there are, and --{word} writes one", "give one of the two"
        )
    found = committed(paths, choices["approvals"])
    if choices["form"] == "json":
        listed = [_encoded(a) for a in found]
        console.out(json.dumps({"format_version": 1, "approvals": listed}, indent=2))
        return
    if not found:
        console.note("There are no approvals.")
    today = datetime.now(UTC).date()
    for number, approval in enumerate(found):
        from orchestra.report import mask
        from orchestra.report.cells import visible

        over = " (over)" if approval.has_expired(today) else ""
        until = f", until {approval.expires}{over}" if approval.expires else ""
        console.out(("\n" if number else "") + visible(approval.file, keep=""))
        console.out(f"  {visible(mask.text(approval.reason), keep='')}")
        console.out(f"  project {approval.project}, by {visible(approval.by, keep='')}{until}")
        for one in approval.approves:
            console.out(f"  {_said(one)}")


def _said(one: Approved) -> str:
    bound = (
        ""
        if one.code == "delete"
        else ", however many"
        if one.at_most is None
        else f", at most {one.at_most:,}"
    )
    return f"{one.code} {one.address}{bound}"


def _encoded(made: Approval) -> dict[str, Any]:
    from orchestra.report import mask

    return {
        "file": made.file,
        "project": made.project,
        "transition": made.transition,
        "approves": [
            {"hazard": a.code, "address": str(a.address), "at_most": a.at_most} for a in made.approves
        ],
        "reason": mask.text(made.reason),
        "by": made.by,
        "expires": made.expires.isoformat() if made.expires else None,
    }
