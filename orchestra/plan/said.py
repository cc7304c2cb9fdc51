"""Flags and approvals that a plan had no use for: nothing that a person says is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from orchestra.errors import UsageError
from orchestra.ir.program import Address
from orchestra.kinds import BY_NAME
from orchestra.plan.hazards import amount
from orchestra.plan.model import Action, Change, Condition, Plan
from orchestra.plan.options import PlanOptions
from orchestra.plan.removal import Removals


def with_unused(plan: Plan, options: PlanOptions, removals: Removals) -> Plan:
    """The plan, with a condition for each flag that names an address, a hazard or a policy and met nothing.

    Raises UsageError for a word that is no address.
    """
    return replace(plan, conditions=(*plan.conditions, *_unused(plan, options, removals)))


def short_approvals(
    changes: Iterable[Change], options: PlanOptions, transition: str, today: date
) -> Iterator[Condition]:
    """Why committed approvals of this very transition do not count: they have expired, or do not cover a hazard."""
    mine = [a for a in options.approvals if a.transition == transition]
    open_hazards = [(c.address, h) for c in changes for h in c.hazards if h.needs_approval and not h.approved]
    for approval in mine:
        for address, hazard in open_hazards:
            bound = next(
                (a for a in approval.approves if (a.code, a.address) == (hazard.code, address)), None
            )
            if bound is None:
                continue
            why = (
                f"expired on {approval.expires}"
                if approval.has_expired(today)
                else f"approves {address} alone; what drains is approved as its workload"
                if bound.covers(hazard.code, address, amount(hazard))
                else f"approves at most {bound.at_most:,} messages of {address}, and there are more"
            )
            yield Condition(
                "short_approval",
                address,
                f"{approval.file} {why}",
                f"write another: {hazard.command or options.approve_command}",
            )


def _unused(plan: Plan, options: PlanOptions, removals: Removals) -> Iterator[Condition]:
    _refuse_twice(options)
    adopted = {str(c.address) for c in plan.changes if c.action is Action.ADOPT}
    for word in sorted(options.adopt):
        name, _, former = word.partition("=")
        address = _address(name, "--adopt", word)
        if former and address.kind != "cron_job":
            raise UsageError(
                f"--adopt {word}: only a cron job can be taken over under another name",
                f"write --adopt {name}, and give the queue's name in the spec (queue: {{name: …}})",
            )
        if name not in adopted:
            yield Condition("unused_flag", address, f"--adopt {word}: there is nothing to adopt")
    for flag, words in (("--accept", options.accept), ("--revert", options.revert)):
        for word in sorted(words):
            address = _address(word, flag, word)
            if not any(c.address == address and _turns(c) for c in plan.changes):
                said = "it was not turned by hand, or that is settled already"
                yield Condition("unused_flag", address, f"{flag} {word}: {said}")
    if options.on_delete is not None and options.on_delete not in removals.policies.values():
        message = f"--on-delete {options.on_delete}: no workload is removed, or each has said its own"
        yield Condition("unused_flag", Address("project", plan.project), message)
    known = {h.approval.removeprefix("--allow ") for c in plan.changes for h in c.hazards if h.needs_approval}
    for word in sorted(options.allow - known):
        address = _address(word.partition(":")[2].partition("=")[0], "--allow", word)
        yield Condition("unused_flag", address, f"--allow {word}: this plan has no such hazard")


def _refuse_twice(options: PlanOptions) -> None:
    """UsageError where one address is to take over two jobs, or two addresses one."""
    words = sorted(options.adopt)
    for what, named in (
        ("address", [w.partition("=")[0] for w in words]),
        ("job", [w.partition("=")[2] for w in words if "=" in w]),
    ):
        if twice := next((n for n in named if named.count(n) > 1), None):
            raise UsageError(
                f"--adopt names the {what} {twice!r} twice", "say once which job takes whose place"
            )


def _turns(change: Change) -> bool:
    return any(f.path in ("accepted", "active", "paused", "gate") for f in change.fields)


def _address(word: str, flag: str, said: str) -> Address:
    address = Address.parse(word)
    if address.kind not in BY_NAME or not address.name:
        example = "delete:queue.import" if flag == "--allow" else "queue.import"
        raise UsageError(
            f"{flag} does not name an address: {said!r}", f"write it as the plan does: {flag} {example}"
        )
    return address
