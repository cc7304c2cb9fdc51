"""The next migration: what a spec compiles to against what the last one left, and the statements between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestra.errors import UsageError
from orchestra.ir.program import Address, Program, Resource
from orchestra.kinds import BY_NAME, Server
from orchestra.kinds.requirement import Requirement
from orchestra.kinds.requirement import ensure as required
from orchestra.kinds.runtime import Runtime
from orchestra.migrate import changes as of_file
from orchestra.migrate import trust
from orchestra.migrate.guard import Touched
from orchestra.migrate.lock import Lock
from orchestra.plan.compare import Draft, compare
from orchestra.plan.in_step import in_step
from orchestra.plan.make import make
from orchestra.plan.model import Action, Blocker, Change, Target
from orchestra.plan.moves import Moves, renamed
from orchestra.plan.options import PlanOptions
from orchestra.plan.removal import decide

_NOT_MADE = frozenset({"requirement", "secret", "edge_function"})
_ANY_NUMBER = ("messages",)
"""Hazards whose approval may end in a number."""


@dataclass(frozen=True, slots=True)
class Draught:
    """What a migration would do, before it has a name. `after` are the resources that it leaves."""

    project: str
    first: bool
    changes: tuple[Change, ...]
    blockers: tuple[Blocker, ...]
    after: tuple[Resource, ...]
    touched: tuple[Touched, ...]
    requirements: tuple[Requirement, ...]
    fresh_jobs: tuple[Address, ...]
    needs: int
    """The version of the runtime that earlier migrations have brought; 0 for the first."""
    former: str | None = None
    """The name that the project has until this migration, if that moves it."""

    @property
    def brings_runtime(self) -> bool:
        return any(c.address.kind == "runtime" for c in self.changes)


def draw(
    program: Program,
    lock: Lock,
    *,
    allow_destroy: bool = False,
    allow: frozenset[str] = frozenset(),
    on_delete: str | None = None,
) -> Draught:
    """Compares as a plan does. `on_delete` is the policy of removed workloads that have none of their own.

    Raises UsageError for an approval of something that this migration does not do.
    """
    approved = of_file.Approved.of(allow)
    options = PlanOptions(environment="", allow_destroy=allow_destroy, allow=allow, on_delete=on_delete)
    former = lock.project if lock.project != program.project else None
    live, moves = renamed(program, in_step(lock.project, lock.state.values()), former)
    removals = decide(program, live, {}, options)
    drafts, _ = compare(program, live, options, moves, removals)
    plan = make(
        program,
        live,
        drafts,
        (),
        trust.findings(program),
        {},
        {},
        {},
        options,
        moves=moves,
        key="",
        target=Target("", "", "", "", ""),
        tool_version="",
    )
    changes = tuple(
        of_file.finished(draft, change, program.project, approved)
        for draft, change in zip(drafts, plan.changes, strict=True)
    )
    _refuse_unused(changes, allow)
    if on_delete is not None and on_delete not in removals.policies.values():
        raise UsageError(
            f"--on-delete {on_delete}: no workload is removed, or each has said its own", "leave it out"
        )
    before = lock.state
    after = _after(before, drafts, moves)
    return Draught(
        program.project,
        not lock.migrations,
        changes,
        plan.blockers,
        after,
        tuple(_touched(drafts, before, after, moves)),
        tuple(r for r in program if isinstance(r, Requirement)),
        tuple(_fresh_jobs(drafts)),
        max((r.version for r in before.values() if isinstance(r, Runtime)), default=0),
        former,
    )


def _after(before: Mapping[Address, Resource], drafts: Sequence[Draft], moves: Moves) -> tuple[Resource, ...]:
    left = {moves.origin.get(d.address, d.address) for d in drafts} | {d.address for d in drafts}
    found = {address: resource for address, resource in before.items() if address not in left}
    for draft in drafts:
        if draft.resource is not None and draft.resource.kind not in _NOT_MADE:
            found[draft.address] = draft.resource
    return tuple(resource for _, resource in sorted(found.items()))


def _touched(
    drafts: Sequence[Draft], before: Mapping[Address, Resource], after: Sequence[Resource], moves: Moves
) -> Iterator[Touched]:
    there = {r.address: r for r in after}
    for draft in drafts:
        if BY_NAME[draft.address.kind].owned:
            origin = moves.origin.get(draft.address)
            yield Touched(
                draft.address,
                before.get(origin or draft.address),
                there.get(draft.address),
                draft.action in (Action.DELETE, Action.REPLACE),
                origin,
            )


def _fresh_jobs(drafts: Sequence[Draft]) -> Iterator[Address]:
    for draft in drafts:
        if draft.address.kind == "cron_job" and draft.action in (Action.CREATE, Action.REPLACE):
            yield draft.address


def _refuse_unused(changes: Sequence[Change], allow: frozenset[str]) -> None:
    known = {f"{h.code}:{c.address}" for c in changes for h in c.hazards}
    for word in sorted(allow):
        limited = word.startswith(tuple(f"{code}:" for code in _ANY_NUMBER))
        if (word.partition("=")[0] if limited else word) not in known:
            raise UsageError(
                f"--allow {word}: this migration does nothing of the kind",
                "leave it out, or mend the address",
            )


def checks(draught: Draught) -> tuple[str, ...]:
    """What `requires` says, proved before anything changes."""
    return tuple(s for r in draught.requirements for s in required(r, draught.project, Server()))
