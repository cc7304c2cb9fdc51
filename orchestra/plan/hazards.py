"""What is dangerous about a change, and which flag says that one knows. Pure: the numbers are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestra.kinds.cron_job import is_shared
from orchestra.kinds.queue import Queue
from orchestra.live.model import COUNTED, QueueFacts
from orchestra.plan.compare import Draft
from orchestra.plan.fields import rewritten
from orchestra.plan.model import Action, Fact, Hazard
from orchestra.plan.options import PlanOptions

QueuesByName = Mapping[str, QueueFacts]


def hazards(draft: Draft, queues: QueuesByName, options: PlanOptions) -> tuple[Hazard, ...]:
    """All hazards of one change, those that need approval first."""
    found = [_decide(h, options) for h in (*_removal(draft, queues), *_changed(draft, queues))]
    return tuple(sorted(found, key=lambda h: not h.needs_approval))


def _decide(hazard: Hazard, options: PlanOptions) -> Hazard:
    if not hazard.needs_approval:
        return hazard
    flag = hazard.approval.removeprefix("--allow ")
    broad = hazard.code == "delete" and options.allow_destroy
    return Hazard(
        hazard.code,
        hazard.message,
        needs_approval=True,
        approved=broad or flag in options.allow,
        approval=hazard.approval,
    )


def _removal(draft: Draft, queues: QueuesByName) -> Iterator[Hazard]:
    if draft.action not in (Action.DELETE, Action.REPLACE):
        return
    if draft.action is Action.DELETE and not _part(draft):
        yield Hazard(
            "delete",
            f"{draft.address} is removed from the database",
            needs_approval=True,
            approval=f"--allow delete:{draft.address}",
        )
    found = draft.former or draft.live
    if draft.address.kind != "queue" or found is None:
        return
    facts = queues.get(found.name)
    if facts and facts.messages:
        yield Hazard(
            "messages",
            f"dropping queue {found.name} loses {count(facts.waiting)} waiting and {count(facts.archived)} archived "
            "messages for ever; pause the workload and let it drain, or copy them first",
            needs_approval=True,
            approval=f"--allow messages:{draft.address}={facts.messages}",
        )


def _part(draft: Draft) -> bool:
    """Jobs that come and go with what a workload says of itself: its workers with its concurrency, ticks with the
    poll intervals. Removing the workload needs approval; these alone do not."""
    key = draft.address.name
    return draft.address.kind == "cron_job" and (".worker-" in key or is_shared(key))


def _changed(draft: Draft, queues: QueuesByName) -> Iterator[Hazard]:
    after = {f.path: f for f in draft.fields}
    if draft.address.kind == "workload" and draft.action is Action.UPDATE:
        yield from _fewer_attempts(draft, queues)
        if "payload_schema" in after or ("sql" in after and not rewritten(after["sql"])):
            facts = _queue_of(draft, queues)
            if facts and facts.waiting:
                yield Hazard(
                    "contract",
                    f"{count(facts.waiting)} messages wait that were sent for the handler as it was",
                )
        if "protect" in after and after["protect"].after is False:
            yield Hazard("unprotect", "protection is lifted; a later plan may then remove the workload")
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


def _fewer_attempts(draft: Draft, queues: QueuesByName) -> Iterator[Hazard]:
    change = next((f for f in draft.fields if f.path == "max_attempts"), None)
    facts = _queue_of(draft, queues)
    if (
        change is None
        or facts is None
        or not isinstance(change.after, int)
        or not isinstance(change.before, int)
    ):
        return
    if change.after >= change.before:
        return
    spent = sum(n for attempts, n in facts.attempts if attempts >= change.after)
    if spent:
        yield Hazard(
            "fewer_attempts",
            f"{count(spent)} messages have had {change.after} attempts or more and go to the dead letters next",
            needs_approval=True,
            approval=f"--allow fewer_attempts:{draft.address}={spent}",
        )


def _queue_of(draft: Draft, queues: QueuesByName) -> QueueFacts | None:
    name = draft.live.values.get("queue_name") if draft.live else None
    return queues.get(str(name)) if name else None


def queue_names(draft: Draft) -> Iterator[str]:
    """The existing queues whose depth a change has to be judged by."""
    if draft.address.kind == "queue" and draft.action in (Action.DELETE, Action.REPLACE, Action.ADOPT):
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
