"""The very statements of a change: rendered once, shown by the plan and run by apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestra.emit.sql import statements_of
from orchestra.ir.program import Resource
from orchestra.ir.sql import call, literal
from orchestra.kinds import BY_NAME, Server
from orchestra.kinds.ownership import claim, release
from orchestra.kinds.queue import Queue, drop
from orchestra.kinds.workload import Workload, turn
from orchestra.live.model import Entry, Found, QueueFacts
from orchestra.plan.compare import Draft
from orchestra.plan.model import Action


def statements(
    draft: Draft, project: str, server: Server, queues: Mapping[str, QueueFacts]
) -> tuple[str, ...]:
    """What brings the change about, in order. A queue is dropped with what the plan saw in it, and not with more."""
    return tuple(_statements(draft, project, server, queues))


def _statements(
    draft: Draft, project: str, server: Server, queues: Mapping[str, QueueFacts]
) -> Iterator[str]:
    match draft.action:
        case Action.CREATE | Action.UPDATE:
            yield from statements_of(_resource(draft), project, server, draft.declared)
            if isinstance(draft.resource, Workload) and any(f.path == "paused" for f in draft.fields):
                yield turn(draft.resource, project)
            if draft.resume:
                yield (
                    "select cron.alter_job(job_id => jobid, active => true) from cron.job "
                    f"where jobname = {literal(_resource(draft).object_name)} and username = current_user"
                )
        case Action.REPLACE:
            yield from _remove(former_resource(draft), project, queues)
            yield from statements_of(_resource(draft), project, server)
        case Action.ADOPT:
            resource = _resource(draft)
            yield claim(resource, project, adopt=True)
            yield from BY_NAME[resource.kind].ensure(resource, project, server)
            if isinstance(resource, Queue):
                # What their former consumer did with its messages counts as no attempt of ours.
                names = (literal(project), literal(resource.key), literal(resource.name))
                yield call("orchestra.refund_hand_outs", *names)
        case Action.DELETE:
            former = former_resource(draft)
            yield from _remove(former, project, queues)
            yield release(former, project)
        case Action.FORGET:
            yield call("orchestra.release", literal(project), literal(str(draft.address)))


def _resource(draft: Draft) -> Resource:
    assert draft.resource is not None
    return draft.resource


def _remove(resource: Resource, project: str, queues: Mapping[str, QueueFacts]) -> tuple[str, ...]:
    if isinstance(resource, Queue) and (facts := queues.get(resource.name)) is not None:
        return drop(resource.name, None if facts.uncounted else facts.messages)
    remove = BY_NAME[resource.kind].remove
    return remove(resource, project) if remove else ()


def former_resource(draft: Draft) -> Resource:
    """The object that goes away, as the database has it."""
    found: Found | None = draft.former or draft.live
    assert found is not None
    entry: Entry | None = draft.entry
    values = {**(entry.applied if entry else {}), **{k: v for k, v in found.values.items() if v is not None}}
    return BY_NAME[draft.address.kind].resource.of(draft.address.name, values)
