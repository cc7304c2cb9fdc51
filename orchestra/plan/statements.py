"""The very statements of a change: rendered once, shown by the plan and run by apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestra.emit.sql import statements_of
from orchestra.ir.program import Resource
from orchestra.ir.sql import call, canonical_json, literal
from orchestra.kinds import BY_NAME, Server
from orchestra.kinds.cron_job import CronJob
from orchestra.kinds.ownership import claim, release
from orchestra.kinds.queue import Queue, drop
from orchestra.kinds.workload import Workload, turn
from orchestra.live.model import Entry, Found, QueueFacts
from orchestra.plan.compare import Draft
from orchestra.plan.model import Action
from orchestra.plan.owning import workload_of
from orchestra.plan.removal import DRAIN


def statements(
    draft: Draft, project: str, server: Server, queues: Mapping[str, QueueFacts]
) -> tuple[str, ...]:
    """What brings the change about, in order. A queue is dropped with what the plan saw in it, and not with more."""
    return tuple(_statements(draft, project, server, queues))


def _statements(
    draft: Draft, project: str, server: Server, queues: Mapping[str, QueueFacts]
) -> Iterator[str]:
    if draft.moved_from is not None:
        yield _registry_move(draft, project)
    match draft.action:
        case Action.CREATE | Action.UPDATE:
            yield from _made(draft, project, server)
        case Action.REPLACE:
            yield from _remove(draft, former_resource(draft), project, queues)
            yield from statements_of(_resource(draft), project, server)
        case Action.ADOPT:
            resource = _resource(draft)
            yield claim(resource, project, adopt=True)
            yield from BY_NAME[resource.kind].ensure(resource, project, server)
            if isinstance(resource, Queue):
                # What their former consumer did with its messages counts as no attempt of ours.
                names = (literal(project), literal(resource.key), literal(resource.name))
                yield call("orchestra.refund_hand_outs", *names)
            if isinstance(resource, CronJob) and draft.former is not None:
                yield call("orchestra.inherit_job", literal(draft.former.name), literal(resource.job))
        case Action.DELETE:
            former = former_resource(draft)
            yield from _remove(draft, former, project, queues)
            yield release(former, project)
        case Action.FORGET:
            yield call("orchestra.release", literal(project), literal(str(draft.address)))


def _registry_move(draft: Draft, project: str) -> str:
    """Gives the former address's row in the registry to the new one, and with a workload or a project all that is
    theirs."""
    assert draft.moved_from is not None
    former = draft.moved_from
    if former.kind == "project":
        return call("orchestra.move_project", literal(former.name), literal(project))
    if former.kind == "workload":
        names = (literal(project), literal(former.name), literal(draft.address.name))
        return call("orchestra.move_workload", *names)
    return call("orchestra.move", literal(project), literal(str(former)), literal(str(draft.address)))


def _made(draft: Draft, project: str, server: Server) -> Iterator[str]:
    resource = _resource(draft)
    former = draft.former.name if draft.former is not None else resource.object_name
    renamed = former != resource.object_name
    if isinstance(resource, Queue) and renamed:
        names = (literal(former), literal(resource.name), literal(resource.type))
        yield call("orchestra.move_queue", *names)
        yield claim(resource, project, adopt=True)
    else:
        yield from statements_of(resource, project, server, draft.declared)
    if isinstance(resource, CronJob) and renamed:
        yield call("orchestra.inherit_job", literal(former), literal(resource.job))
    if isinstance(resource, Workload) and any(f.path == "paused" for f in draft.fields):
        yield turn(resource, project)
    if draft.resume:
        yield (
            "select cron.alter_job(job_id => jobid, active => true) from cron.job "
            f"where jobname = {literal(resource.object_name)} and username = current_user"
        )
    if draft.accepted is not None:
        known = literal(canonical_json(dict(draft.accepted)))
        yield call("orchestra.accept", literal(project), literal(str(draft.address)), known)


def _resource(draft: Draft) -> Resource:
    assert draft.resource is not None
    return draft.resource


def _remove(
    draft: Draft, resource: Resource, project: str, queues: Mapping[str, QueueFacts]
) -> tuple[str, ...]:
    if isinstance(resource, Queue):
        facts = queues.get(resource.name)
        if draft.removal in (DRAIN, "archive") and draft.action is Action.DELETE:
            names = (literal(project), literal(workload_of(resource.key)), literal(resource.name))
            # What is still to be worked off must not slip into the archive unseen; dead letters nobody works off.
            drains = draft.removal == DRAIN and resource.key == workload_of(resource.key)
            return (call("orchestra.archive_queue", *names, *(["0"] if drains else [])),)
        if facts is not None:
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
