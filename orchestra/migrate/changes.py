"""One change of a migration: the statements of a plan's apply, fit to stand in a file, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from orchestra.errors import UsageError
from orchestra.ir.program import Address
from orchestra.kinds import Server
from orchestra.kinds.queue import Queue
from orchestra.kinds.workload import Workload
from orchestra.live.model import QueueFacts
from orchestra.migrate import careful
from orchestra.plan.compare import Draft
from orchestra.plan.model import Action, Change, Hazard
from orchestra.plan.owning import workload_of
from orchestra.plan.statements import former_resource, statements


@dataclass(frozen=True, slots=True)
class Approved:
    """What `--allow` said of things that only a database knows: how many messages of a queue may be lost (None: any
    number), and which workloads may have fewer attempts."""

    losses: Mapping[str, int | None]
    fewer_attempts: frozenset[str]

    @classmethod
    def of(cls, allow: frozenset[str]) -> Approved:
        """UsageError where a number is none."""
        losses: dict[str, int | None] = {}
        fewer = set()
        for word in allow:
            code, _, rest = word.partition(":")
            address, limited, number = rest.partition("=")
            if limited and not (number.isascii() and number.isdecimal()):
                raise UsageError(f"--allow {word}: {number!r} is no number of messages", "write it in digits")
            if code == "messages":
                losses[address] = int(number) if limited else None
            elif code == "fewer_attempts":
                fewer.add(address)
        return cls(losses, frozenset(fewer))

    def losing(self, address: Address) -> int | None:
        return self.losses.get(str(address), 0)


def finished(draft: Draft, change: Change, project: str, approved: Approved) -> Change:
    """The change with the statements of the file."""
    if not change.statements:
        return change
    told = [*_about_messages(draft, approved), *_about_attempts(draft, approved)]
    made = tuple(_statements(draft, project, approved))
    return replace(change, hazards=(*change.hazards, *told), statements=made, before="")


def _about_messages(draft: Draft, approved: Approved) -> Iterator[Hazard]:
    if draft.address.kind != "queue":
        return
    if (dropped := _dropped(draft)) is not None:
        losing = approved.losing(draft.address)
        if losing is None:
            limit = "whatever it holds is lost, as you said"
        elif losing:
            limit = f"the migration refuses where it holds more than {losing:,} messages"
        else:
            limit = "the migration refuses where it holds messages"
        yield Hazard("messages", f"queue {dropped.name} is dropped; {limit}")
    elif draft.action is Action.DELETE:
        letters = draft.address.name != workload_of(draft.address.name)
        waits = (
            ""
            if draft.removal == "archive" or letters
            else "; the migration refuses where messages wait in it"
        )
        yield Hazard("archived", f"its messages are kept in orchestra.archive{waits}")
    elif draft.action is Action.UPDATE and draft.former is not None:
        yield Hazard(
            "move",
            "its messages move along; whoever sends or reads waits meanwhile, and has to know the new name then",
        )


def _about_attempts(draft: Draft, approved: Approved) -> Iterator[Hazard]:
    if (lowered := _lowered(draft)) is not None:
        number = f"{lowered.max_attempts} attempts or more"
        yield Hazard(
            "fewer_attempts",
            f"messages that have had {number} are given up next, as you said"
            if str(draft.address) in approved.fewer_attempts
            else f"the migration refuses where messages wait that have had {number}",
        )


def _dropped(draft: Draft) -> Queue | None:
    drops = draft.action is Action.REPLACE or (draft.action is Action.DELETE and draft.removal == "drop")
    if draft.address.kind != "queue" or not drops:
        return None
    former = former_resource(draft)
    assert isinstance(former, Queue)
    return former


def _lowered(draft: Draft) -> Workload | None:
    """The workload as it shall be, if its messages shall have fewer attempts than they had until now."""
    if draft.action is not Action.UPDATE or not isinstance(draft.resource, Workload):
        return None
    former = former_resource(draft)
    assert isinstance(former, Workload)
    fewer = (
        draft.resource.max_attempts < former.max_attempts and former.queue_name and draft.resource.queue_name
    )
    return draft.resource if fewer else None


def _statements(draft: Draft, project: str, approved: Approved) -> Iterator[str]:
    # A workload is paused by its claim where the spec changes its mind; what an operator paused later stays so.
    draft = replace(draft, fields=tuple(f for f in draft.fields if f.path != "paused"))
    queues: dict[str, QueueFacts] = {}
    if (dropped := _dropped(draft)) and (losing := approved.losing(draft.address)) is not None:
        queues[dropped.name] = QueueFacts(losing, 0, 0, None)
    made = list(statements(draft, project, Server(), queues))
    if draft.moved_from is not None:
        yield careful.move(project, draft.moved_from, made.pop(0))
    if draft.action in (Action.DELETE, Action.REPLACE):
        going = replace(draft, action=Action.DELETE, moved_from=None)
        if draft.action is Action.REPLACE:
            going = replace(going, removal="drop")
        gone = statements(going, project, Server(), queues)
        # A replacement is not given up: it goes without the last of them.
        taken_away = gone if draft.action is Action.DELETE else gone[:-1]
        yield careful.removal(project, former_resource(draft), taken_away)
        del made[: len(taken_away)]
    if (lowered := _lowered(draft)) and str(draft.address) not in approved.fewer_attempts:
        former = former_resource(draft)
        assert isinstance(former, Workload)
        assert lowered.queue_name is not None
        yield careful.fewer_attempts(project, former, lowered.queue_name, lowered.max_attempts)
    for statement in made:
        yield _run_once(draft, project, statement)


def _run_once(draft: Draft, project: str, statement: str) -> str:
    if draft.former is not None:
        if statement.startswith("select orchestra.move_queue("):
            return careful.move_queue(project, draft.address, draft.former.name, statement)
        if statement.startswith("select orchestra.inherit_job("):
            return careful.inherit_job(draft.former.name, statement)
    return statement
