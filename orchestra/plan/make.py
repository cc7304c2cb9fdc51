"""A Plan from what was compared and looked up. Pure: the same input gives the same plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from orchestra.ir.program import Address, Json, Program
from orchestra.kinds import Server
from orchestra.kinds.cron_job import CronJob
from orchestra.live.model import Due, JobFacts, Live, QueueFacts
from orchestra.plan.approvals import granted
from orchestra.plan.batches import cut
from orchestra.plan.blockers import Findings, blockers, unapproved
from orchestra.plan.compare import Draft
from orchestra.plan.hazards import approved_until, hazards, queue_facts
from orchestra.plan.model import Action, Blocker, Change, Condition, Fact, Plan, Target
from orchestra.plan.moves import Moves
from orchestra.plan.options import PlanOptions
from orchestra.plan.said import short_approvals
from orchestra.plan.statements import former_resource, statements


def make(
    program: Program,
    live: Live,
    drafts: Sequence[Draft],
    conditions: Sequence[Condition],
    findings: Findings,
    queues: Mapping[str, QueueFacts],
    jobs: Mapping[str, JobFacts],
    due: Mapping[Due, datetime | None],
    options: PlanOptions,
    *,
    moves: Moves,
    key: str,
    target: Target,
    tool_version: str,
    more_blockers: Iterable[Blocker] = (),
) -> Plan:
    """Everything about a plan that does not need the database any more. `key` is its transition."""
    server = Server(pgmq_extension=live.server.pgmq_available)
    today = live.server.now.astimezone(UTC).date()
    mine = granted(options.approvals, program.project, key, today)
    refused = {d.address for d in drafts if d.owner or d.holder or d.absent}
    changes = tuple(
        Change(
            d.address,
            d.action,
            d.category,
            d.reasons,
            d.fields,
            hazards(d, queues, options, mine),
            (*queue_facts(d, queues), *_job_facts(d, jobs, due)),
            statements(d, program.project, server, queues) if d.address not in refused else (),
            d.before,
            d.drift,
            d.moved_from,
            d.former.name if d.former is not None and d.action is Action.ADOPT else "",
        )
        for d in drafts
    )
    stops = [*more_blockers, *blockers(program, drafts, live, findings, options, moves)]
    for change in changes:
        stops += unapproved(change.address, change.hazards)
    return Plan(
        program.project,
        target,
        tool_version,
        changes,
        (*conditions, *short_approvals(changes, options, key, today)),
        tuple(stops),
        cut(changes, live.server.lock_slots),
        tuple(_desired(drafts)),
        unchanged=sum(r.kind not in ("requirement", "secret", "edge_function") for r in program)
        - sum(d.resource is not None for d in drafts),
        transition=key if changes else "",
        approved_until=approved_until(changes, mine),
    )


def _desired(drafts: Sequence[Draft]) -> Iterator[tuple[Address, dict[str, Json] | None]]:
    for draft in drafts:
        yield draft.address, draft.resource.values() if draft.resource is not None else None


def due_of(draft: Draft) -> Iterator[Due]:
    """The schedules of a changed job, before and after."""
    if draft.address.kind != "cron_job" or draft.action is Action.FORGET:
        return
    jobs = [draft.resource] if draft.resource is not None else []
    if draft.former or draft.live:
        jobs.append(former_resource(draft))
    for job in jobs:
        if isinstance(job, CronJob) and (job.cron is not None or job.every_ms is not None):
            yield Due(job.cron, job.every_ms, job.timezone)


def _job_facts(
    draft: Draft, jobs: Mapping[str, JobFacts], due: Mapping[Due, datetime | None]
) -> Iterator[Fact]:
    if draft.address.kind != "cron_job":
        return
    found = draft.live or draft.former
    last = jobs.get(found.name) if found else None
    if last is not None and last.at is not None:
        message = f": {last.message.splitlines()[0]}" if last.status == "failed" and last.message else ""
        yield Fact("last run", f"{last.status} at {_moment(last.at)}{message}", last.status)
    times = [due[d] for d in due_of(draft) if d in due]
    shown = [_moment(t) if t else "never" for t in times]
    if not shown:
        return
    if len(shown) == 2 and draft.resource is not None:
        after, before = shown
        text = after if after == before else f"{before} -> {after}"
    else:
        text = shown[0] if draft.resource is not None else f"{shown[0]} -> never"
    yield Fact("next", text, [t.isoformat() if t else None for t in times])


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
