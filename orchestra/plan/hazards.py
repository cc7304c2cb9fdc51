"""What is dangerous about a change, and which flag says that one knows. Pure: the numbers are given, or are not known.

Plan and offline diff ask the same functions: a diff has no database, so its hazards go without numbers and say what
may be rather than what is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from orchestra.ir.program import Address
from orchestra.kinds.cron_job import is_shared
from orchestra.kinds.queue import Queue
from orchestra.live.model import COUNTED, QueueFacts
from orchestra.plan.approvals import Granted
from orchestra.plan.compare import Draft
from orchestra.plan.fields import rewritten
from orchestra.plan.model import Action, Change, Fact, Hazard
from orchestra.plan.options import PlanOptions
from orchestra.plan.owning import workload_of
from orchestra.plan.removal import DRAIN

QueuesByName = Mapping[str, QueueFacts]


UNCOUNTED: Final = "COUNT"
"""Stands in a flag for the number that only a database can tell."""


def hazards(
    draft: Draft, queues: QueuesByName | None, options: PlanOptions, granted: Granted
) -> tuple[Hazard, ...]:
    """All hazards of one change, those that need approval first. `queues` None: nobody has counted."""
    found = [
        _decide(h, draft, options, granted) for h in (*_removal(draft, queues), *_changed(draft, queues))
    ]
    return tuple(sorted(found, key=lambda h: not h.needs_approval))


def _decide(hazard: Hazard, draft: Draft, options: PlanOptions, granted: Granted) -> Hazard:
    if not hazard.needs_approval:
        return hazard
    flag = hazard.approval.removeprefix("--allow ")
    if by := granted.by(hazard.code, _approved_as(hazard, draft), amount(hazard)):
        return replace(hazard, approved=True, approved_by=by)
    if options.approvals_required:
        return replace(hazard, command=options.approve_command)
    if flag in options.allow:
        return replace(hazard, approved=True, approved_by=hazard.approval)
    if hazard.code == "delete" and options.allow_destroy:
        return replace(hazard, approved=True, approved_by="--allow-destroy")
    return hazard


def _approved_as(hazard: Hazard, draft: Draft) -> Address:
    """What an approval has to name. A workload that drains first takes its empty queue with it, at once or later."""
    if hazard.code == "delete" and draft.removal == DRAIN:
        return Address("workload", workload_of(draft.address.name))
    return draft.address


def amount(hazard: Hazard) -> int | None:
    """How many messages it is about at least: 0 where it is about none or nobody has counted, None where there are more
    than are counted."""
    number = hazard.approval.partition("=")[2]
    if not number.isdecimal():
        return 0
    return int(number) if int(number) <= COUNTED else None


def approved_until(changes: Iterable[Change], granted: Granted) -> str:
    """The first day on which an approval that these changes stand on ends, or nothing."""
    return granted.until(
        (h.code, c.address, amount(h)) for c in changes for h in c.hazards if h.needs_approval
    )


def _removal(draft: Draft, queues: QueuesByName | None) -> Iterator[Hazard]:
    if any(f.path == "removal" and f.after == DRAIN for f in draft.fields):
        yield Hazard(
            "delete",
            f"{draft.address} takes nothing new, and is removed when its queue has drained",
            needs_approval=True,
            approval=f"--allow delete:{draft.address}",
        )
    if draft.action not in (Action.DELETE, Action.REPLACE):
        return
    if draft.action is Action.DELETE and not _part(draft) and not draft.leaving:
        yield Hazard(
            "delete",
            f"{draft.address} is removed from the database",
            needs_approval=True,
            approval=f"--allow delete:{draft.address}",
        )
    found = draft.former or draft.live
    if draft.address.kind != "queue" or found is None:
        return
    if draft.action is Action.DELETE and draft.removal in (DRAIN, "archive"):
        return
    if queues is None:
        yield Hazard(
            "messages",
            f"dropping queue {found.name} loses every message that waits in it or is archived, for ever; --on-delete "
            "drain lets them be worked off first, archive keeps them, retain leaves the queue as it is",
            needs_approval=True,
            approval=f"--allow messages:{draft.address}={UNCOUNTED}",
        )
        return
    facts = queues.get(found.name)
    if facts and facts.messages:
        yield Hazard(
            "messages",
            f"dropping queue {found.name} loses {count(facts.waiting)} waiting and {count(facts.archived)} archived "
            "messages for ever; --on-delete drain lets them be worked off first, archive keeps them, retain leaves the "
            "queue as it is",
            needs_approval=True,
            approval=f"--allow messages:{draft.address}={facts.messages}",
        )


def _part(draft: Draft) -> bool:
    """Jobs that come and go with what a workload says of itself: its workers with its concurrency, ticks with the
    poll intervals. Removing the workload needs approval; these alone do not, nor does what is only a record."""
    key = draft.address.name
    if draft.address.kind == "dependency":
        return True
    return draft.address.kind == "cron_job" and (".worker-" in key or is_shared(key))


def _changed(draft: Draft, queues: QueuesByName | None) -> Iterator[Hazard]:
    after = {f.path: f for f in draft.fields}
    if draft.address.kind == "workload" and draft.action is Action.UPDATE:
        yield from _fewer_attempts(draft, queues)
        if "payload_schema" in after or ("sql" in after and not rewritten(after["sql"])):
            facts = _queue_of(draft, queues)
            if queues is None and _queue_name(draft):
                yield Hazard("contract", "messages that wait were sent for the handler as it was")
            elif facts and facts.waiting:
                yield Hazard(
                    "contract",
                    f"{count(facts.waiting)} messages wait that were sent for the handler as it was",
                )
        if "protect" in after and after["protect"].after is False:
            yield Hazard("unprotect", "protection is lifted; a later plan may then remove the workload")
    if draft.address.kind == "queue" and draft.action is Action.UPDATE and draft.former is not None:
        facts = (queues or {}).get(draft.former.name)
        if queues is None or (facts and facts.messages):
            what = (
                f"{count(facts.waiting)} waiting and {count(facts.archived)} archived messages"
                if facts
                else "its messages"
            )
            yield Hazard(
                "move",
                f"{what} move to {draft.resource.object_name if draft.resource else ''}; whoever sends or reads waits "
                "meanwhile, and has to know the new name then",
            )
    if isinstance(draft.resource, Queue) and draft.resource.type == "unlogged":
        yield Hazard("unlogged", "an unlogged queue is emptied by a crash of the server")
    if draft.address.kind == "table_trigger" and draft.action is not Action.FORGET:
        name = draft.live.name if draft.live else draft.resource.object_name if draft.resource else ""
        table = name.partition(":")[0]
        if table:
            yield Hazard(
                "table_lock",
                f"takes a lock on {table} that waits for its writers and holds new ones up until commit",
            )


def _fewer_attempts(draft: Draft, queues: QueuesByName | None) -> Iterator[Hazard]:
    change = next((f for f in draft.fields if f.path == "max_attempts"), None)
    if change is None or not isinstance(change.after, int) or not isinstance(change.before, int):
        return
    if change.after >= change.before or not _queue_name(draft):
        return
    if queues is None:
        yield Hazard(
            "fewer_attempts",
            f"messages that have had {change.after} attempts or more may go to the dead letters next",
            needs_approval=True,
            approval=f"--allow fewer_attempts:{draft.address}={UNCOUNTED}",
        )
        return
    facts = _queue_of(draft, queues)
    spent = sum(n for attempts, n in facts.attempts if attempts >= change.after) if facts else 0
    if spent:
        yield Hazard(
            "fewer_attempts",
            f"{count(spent)} messages have had {change.after} attempts or more and go to the dead letters next",
            needs_approval=True,
            approval=f"--allow fewer_attempts:{draft.address}={spent}",
        )


def _queue_of(draft: Draft, queues: QueuesByName | None) -> QueueFacts | None:
    return (queues or {}).get(_queue_name(draft))


def _queue_name(draft: Draft) -> str:
    """The queue that a workload has today, or nothing."""
    return str(draft.live.values.get("queue_name") or "") if draft.live else ""


def queue_names(draft: Draft) -> Iterator[str]:
    """The existing queues whose depth a change has to be judged by."""
    moves = draft.action is Action.UPDATE and draft.former is not None
    if draft.address.kind == "queue" and (
        moves or draft.action in (Action.DELETE, Action.REPLACE, Action.ADOPT, Action.FORGET)
    ):
        found = draft.former or draft.live
        if found is not None:
            yield found.name
    if draft.address.kind == "workload" and draft.live is not None and draft.live.values.get("queue_name"):
        yield str(draft.live.values["queue_name"])


def queue_facts(draft: Draft, queues: QueuesByName) -> Iterator[Fact]:
    """What waits in the queue that a change touches, for people."""
    for name in queue_names(draft):
        facts = queues.get(name)
        if facts is None:
            continue
        oldest = f", oldest {age(facts.oldest_s)}" if facts.oldest_s is not None else ""
        yield Fact(
            "messages",
            f"{count(facts.waiting)} waiting{oldest}, {count(facts.in_flight)} in flight",
            {
                "queue": name,
                "waiting": facts.waiting,
                "in_flight": facts.in_flight,
                "oldest_s": facts.oldest_s,
            },
        )


def count(number: int) -> str:
    return f"more than {COUNTED:,}" if number > COUNTED else f"{number:,}"


def age(seconds: float) -> str:
    """A rough age for people: `45 s`, `12 min`, `3 h`, `5 d`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
