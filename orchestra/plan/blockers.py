"""What keeps a plan from being applied. Pure: everything that was looked up is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orchestra.ir.program import Address, Program
from orchestra.ir.sql import ident
from orchestra.kinds.cron_job import CronJob
from orchestra.kinds.grant import Grant
from orchestra.kinds.progress import Progress
from orchestra.kinds.table_trigger import TableTrigger
from orchestra.kinds.workload import Workload
from orchestra.live.model import ForeignColumn, Found, HandlerFault, Live, Table
from orchestra.plan.compare import MADE_ANEW, Draft
from orchestra.plan.identity import other_environment, other_role
from orchestra.plan.model import Action, Blocker, Hazard
from orchestra.plan.moves import Moves
from orchestra.plan.options import PlanOptions
from orchestra.plan.server import cannot_create, cron_elsewhere, cron_timezone

_HOLD_NOTHING = frozenset({"cron_job", "dependency"})
_NOT_THERE_YET = frozenset({"3F000", "42P01", "42883", "42704"})


@dataclass(frozen=True, slots=True)
class Findings:
    """What the live catalogue said of the things that a plan speaks of."""

    faults: Sequence[HandlerFault] = ()
    tables: Mapping[tuple[str, str], Table] = field(default_factory=dict)
    roles: Mapping[str, bool] = field(default_factory=dict)
    projects: frozenset[str] = frozenset()
    foreign: Mapping[str, Sequence[ForeignColumn]] = field(default_factory=dict)
    """By workload: columns of its tables whose operators an empty search path does not find."""


def blockers(
    program: Program,
    drafts: Sequence[Draft],
    live: Live,
    findings: Findings,
    options: PlanOptions,
    moves: Moves,
) -> Iterator[Blocker]:
    """All of them, so that one run tells everything."""
    yield from _moved(moves)
    yield from _project(program, live, options)
    yield from _server(program, drafts, live)
    yield from _ownership(drafts, live.server.role)
    yield from _protection(program, drafts, live, moves)
    yield from _handlers(drafts, findings)
    yield from _tables(program, findings)
    yield from _roles(program, findings, live)


def of_specs(program: Program, drafts: Sequence[Draft], live: Live, moves: Moves) -> Iterator[Blocker]:
    """Those that two specs alone can tell, without a database."""
    yield from _moved(moves)
    yield from _ownership([d for d in drafts if d.owner is not None], live.server.role)
    yield from _protection(program, drafts, live, moves)


def unapproved(address: Address, hazards: Iterable[Hazard]) -> Iterator[Blocker]:
    for hazard in hazards:
        if hazard.needs_approval and not hazard.approved:
            broad = " (or --allow-destroy)" if hazard.code == "delete" else ""
            remedy = (
                f"this environment wants an approval that is committed: {hazard.command}"
                if hazard.command
                else f"approve it with {hazard.approval}{broad}"
            )
            yield Blocker(hazard.code, address, hazard.message, remedy)


def _moved(moves: Moves) -> Iterator[Blocker]:
    for new, former in moves.taken:
        yield Blocker(
            "both_there",
            new,
            f"it says that it was {former.name}, and both {new.name} and {former.name} are in this database already",
            f"take `moved` out of {new.name} and remove {former.name}, or rename {new.name}",
        )


def _own(program: Program, live: Live) -> Found | None:
    """The project's own row, under its former name where that is still to be moved."""
    return live.find("project", program.project) or (
        live.find("project", program.former) if program.former else None
    )


def _project(program: Program, live: Live, options: PlanOptions) -> Iterator[Blocker]:
    found = _own(program, live)
    if found is None:
        return
    address = Address("project", program.project)
    if (said := other_role(found.extra["owner_role"], live.server.role)) is not None:
        yield Blocker("role", address, *said)
    if (said := other_environment(found.values.get("environment"), options.environment)) is not None:
        yield Blocker("environment", address, *said)


def _server(program: Program, drafts: Sequence[Draft], live: Live) -> Iterator[Blocker]:
    server = live.server
    creates = {d.address for d in drafts if d.action is Action.CREATE}
    for name in ("pg_cron", "pg_net", "supabase_vault"):
        address = Address("extension", name)
        if address in creates and (fault := cannot_create(server, name)) is not None:
            yield Blocker(fault.code, address, fault.message, fault.remedy, exit_code=1)
    if not server.headers:
        for w in program:
            if isinstance(w, Workload) and w.steps is not None:
                yield Blocker(
                    "no_headers",
                    w.address,
                    "the messages of this server's pgmq carry no headers, and the tasks of a pipeline need them",
                    "upgrade pgmq to 1.5 or later",
                    exit_code=1,
                )
    cron = Address("extension", "pg_cron")
    for found in (cron_elsewhere(server), cron_timezone(server)) if _jobs(program) else ():
        if found is not None:
            yield Blocker(found.code, cron, found.message, found.remedy, exit_code=1)
    if not server.cron_seconds:
        for job in _jobs(program):
            if "second" in job.schedule:
                yield Blocker(
                    "cron_seconds",
                    job.address,
                    f"pg_cron {server.pg_cron or server.pg_cron_default} has no seconds schedules, "
                    f"and this job needs '{job.schedule}'",
                    "upgrade pg_cron to 1.5 or later, or choose an interval of whole minutes "
                    "(poll_interval: 1m, every: 1m)",
                    exit_code=1,
                )


def _jobs(program: Program) -> list[CronJob]:
    return [r for r in program if isinstance(r, CronJob)]


def _ownership(drafts: Sequence[Draft], role: str) -> Iterator[Blocker]:
    for draft in drafts:
        if draft.owner is not None and draft.resource is not None:
            yield Blocker(
                "other_project",
                draft.address,
                f"{draft.resource.object_name} belongs to project {draft.owner} of this database",
                "choose another name (queue: {name: …}); a name is never taken over",
            )
        elif draft.holder is not None and draft.resource is not None:
            yield Blocker(
                "other_address",
                draft.address,
                f"{draft.resource.object_name} belongs to {draft.holder} of this project, and what is in it would be "
                "lost on the way",
                "keep it there, choose another name, or write moved: {from: …} where a workload has been renamed",
            )
        elif draft.absent is not None:
            yield Blocker(
                "nothing_to_adopt",
                draft.address,
                f"there is no job {draft.absent} that it could take the place of",
                "mend the name, as cron.job has it",
                exit_code=1,
            )
        elif draft.unowned and draft.resource is not None:
            yield Blocker(
                "unowned",
                draft.address,
                f"{draft.resource.object_name} exists and was not made by orchestra",
                f"take it over with --adopt {draft.address} (the plan then shows what becomes of it), "
                "or choose another name",
            )
        elif (
            draft.action is Action.ADOPT
            and draft.live is not None
            and draft.former is not None
            and draft.resource
        ):
            yield Blocker(
                "left_behind",
                draft.address,
                f"it is {draft.former.name} today; adopting {draft.resource.object_name} in its place would leave "
                f"{draft.former.name} behind with all that is in it",
                "keep the name until it has drained, then remove the workload, and adopt in the plan after that",
            )
        elif draft.address.kind == "cron_job" and (job := draft.live or draft.former) is not None:
            owner = job.extra.get("username")
            if owner != role:
                yield Blocker(
                    "cron_owner",
                    draft.address,
                    f"job {job.name} runs as {owner}; as {role} it could only be doubled",
                    f"connect as {owner}, or unschedule it there first",
                )


def _protection(program: Program, drafts: Sequence[Draft], live: Live, moves: Moves) -> Iterator[Blocker]:
    project = _own(program, live)
    whole = bool(project and project.values.get("protect"))
    for draft in drafts:
        begins = any(f.path == "removal" and f.after is not None for f in draft.fields)
        goes = begins or draft.action in (Action.DELETE, Action.REPLACE)
        if not goes or draft.address.kind in _HOLD_NOTHING or _only_renamed(draft, moves):
            continue
        former = draft.address.name.partition(".")[0]
        workload = moves.workloads.get(former, former)
        entry = live.entries.get(Address("workload", workload))
        own = bool(entry and entry.protect and not entry.tombstoned)
        if own or whole:
            what = f"workload {workload}" if own else f"project {program.project}"
            where = "protect: false on the workload" if own else "protect: false on the environment"
            yield Blocker(
                "protected",
                draft.address,
                f"{what} is protected in the database",
                f"apply a spec with {where} first; nothing is unprotected and removed in one plan",
            )


def _only_renamed(draft: Draft, moves: Moves) -> bool:
    """Whether it is made anew because of its name alone, and holds nothing that could be lost."""
    moves_along = draft.moved_from is not None or moves.project is not None
    return draft.action is Action.REPLACE and draft.address.kind in MADE_ANEW and moves_along


def _handlers(drafts: Sequence[Draft], findings: Findings) -> Iterator[Blocker]:
    for fault in findings.faults:
        if awaited(fault, drafts):
            continue
        at = f" (at character {fault.position})" if fault.position else ""
        yield Blocker(
            "sql",
            Address("workload", fault.workload),
            f"{fault.said}{at}",
            fault.hint
            or "mend run.sql, or create what it needs first; a cron job with it would fail at every tick",
            exit_code=1,
        )
    for workload, columns in findings.foreign.items():
        for c in columns:
            yield Blocker(
                "operator",
                Address("workload", workload),
                f"column {c.schema}.{c.table}.{c.column} has type {c.type}, whose operators lie in schema "
                f"{c.type_schema}; under an empty search path it is silently compared as another type",
                f"write run: {{search_path: [{c.type_schema}]}}, or OPERATOR({c.type_schema}.=)",
                exit_code=1,
            )


def awaited(fault: HandlerFault, drafts: Sequence[Draft]) -> bool:
    """Whether what a handler misses is something that this very plan makes; apply looks again before it commits."""
    makes = {d.address.kind for d in drafts if d.action in (Action.CREATE, Action.REPLACE)}
    ours = ("orchestra" in fault.message and makes & {"runtime"}) or (
        "pgmq" in fault.message and makes & {"extension", "queue"}
    )
    return bool(ours) and fault.sqlstate in _NOT_THERE_YET


def _tables(program: Program, findings: Findings) -> Iterator[Blocker]:
    for trigger in program:
        if not isinstance(trigger, TableTrigger):
            continue
        name = f"{trigger.schema}.{trigger.table}"
        table = findings.tables.get((trigger.schema, trigger.table))
        if table is None:
            message, remedy = f"table {name} does not exist", "create it first, or mend the name"
        elif table.kind not in ("r", "p"):
            message, remedy = f"{name} is not a table", "triggers with transition tables need a table"
        elif not table.has_primary_key:
            message = f"table {name} has no primary key, so a message could not say which row changed"
            remedy = f"alter table {name} add primary key (…)"
        elif missing := sorted(set(trigger.columns) - table.columns):
            message = f"table {name} has no column {', '.join(missing)}"
            remedy = "mend columns: of the trigger"
        elif not table.may_trigger:
            message, remedy = (
                f"this role may not put a trigger on {name}",
                f"grant trigger on {name} to this role",
            )
        else:
            continue
        yield Blocker("table", trigger.address, message, remedy, exit_code=1)


def _roles(program: Program, findings: Findings, live: Live) -> Iterator[Blocker]:
    for resource in program:
        acting = resource.statements() if isinstance(resource, Workload) else ()
        for role in sorted({s.role for s in acting if s.role is not None}):
            member = findings.roles.get(role)
            if member is None:
                yield _no_role(resource.address, role)
            elif not member:
                yield Blocker(
                    "role",
                    resource.address,
                    f"{live.server.role} may not act as {role}",
                    f"grant {ident(role)} to {ident(live.server.role)}",
                    exit_code=1,
                )
        if isinstance(resource, (Grant, Progress)):
            for role in resource.roles:
                if role not in findings.roles:
                    yield _no_role(resource.address, role)
                elif role == live.server.role:
                    yield Blocker(
                        "role",
                        resource.address,
                        f"{role} is the role that applies this: the function is its own, and it may anyway",
                        "leave it out of `access`",
                        exit_code=1,
                    )


def _no_role(address: Address, role: str) -> Blocker:
    return Blocker("role", address, f"role {role} does not exist", "create it, or mend the name", exit_code=1)
