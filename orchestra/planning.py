"""The live half of the road: what a plan has to look up, in one transaction and a constant number of round trips."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from orchestra.errors import RequirementError, UsageError
from orchestra.ir.program import Address, Program, Resource
from orchestra.kinds import runtime
from orchestra.kinds.cron_job import CronJob, is_shared
from orchestra.kinds.grant import Grant
from orchestra.kinds.progress import Progress
from orchestra.kinds.project import Project
from orchestra.kinds.requirement import Requirement, describe, remedy
from orchestra.kinds.table_trigger import TableTrigger
from orchestra.kinds.workload import Workload
from orchestra.live import checks, facts, ledger
from orchestra.live.address import address
from orchestra.live.connect import Database
from orchestra.live.model import ForeignColumn, Live, ServerFacts
from orchestra.live.read import read
from orchestra.live.server import probe
from orchestra.plan import drift, identity
from orchestra.plan.blockers import Findings
from orchestra.plan.compare import compare
from orchestra.plan.composition import missing, overtaken, removes, still_required
from orchestra.plan.conditions import BY_HAND, environment_paused, told_by
from orchestra.plan.forget import forgotten, still_declared
from orchestra.plan.hazards import queue_names
from orchestra.plan.make import due_of, make
from orchestra.plan.model import Condition, Plan, Target
from orchestra.plan.moves import Moves, renamed
from orchestra.plan.options import PlanOptions
from orchestra.plan.owning import workload_of
from orchestra.plan.removal import Removals, decide, draining
from orchestra.plan.said import with_unused
from orchestra.plan.transition import transition
from orchestra.plan.unrecorded import with_unrecorded
from orchestra.spec.model import Composition
from orchestra.sql import inspect
from orchestra.version import __version__

_WORD = re.compile(r"\w+")
READ = (
    "begin isolation level repeatable read read only; "
    # Compiling the query of the next fire times takes a second or two, running it a few milliseconds.
    "set local statement_timeout = '60s'; set local lock_timeout = '5s'; set local jit = off"
)


def plan_program(
    database: Database,
    program: Program,
    options: PlanOptions,
    composition: Composition,
    *,
    destroying: bool = False,
) -> Plan:
    """Reads the live state, compares, and says what apply would do; see `orchestra.pipeline.plan`."""
    trips = database.round_trips
    if not destroying:
        program = _for_environment(_narrowed(program, options), options)
    with database.reading(READ):
        server = probe(database)
        _prove(database, program, options)
        former = _former_project(database, server, program)
        if former is not None and options.names is not None:
            raise UsageError(
                f"project {former} becomes {program.project} as a whole: all that stays behind would go on as "
                f"{former}'s, and what it sends would be lost",
                "plan and apply without naming workloads first",
            )
        live = read(database, server, former or program.project, program, also=_to_adopt(program, options))
        live, moves = renamed(program, live, former)
        waiting = facts.queues(database, [] if destroying else draining(program, live, options))
        removals = Removals({}) if destroying else decide(program, live, waiting, options)
        whole = program.only([*program, *removals.kept])
        drafts, conditions = compare(whole, live, options, moves, removals)
        drafts = with_unrecorded(drafts, whole, live)
        # What approves a removal does not depend on whether messages wait: they only put off its second half.
        apart = compare(program, live, options, moves, removals)[0] if removals.kept else drafts
        findings = _findings(database, server, program, composition)
        conditions += [*removals.conditions, *overtaken(composition, program, findings.projects, live)]
        if options.environment_paused and not destroying and not _opened_by_hand(conditions):
            conditions.append(environment_paused(program.project))
        touched = sorted({name for d in drafts for name in queue_names(d)} - waiting.keys())
        queues = {**waiting, **facts.queues(database, touched)}
        changed = [d.live or d.former for d in drafts if d.address.kind == "cron_job"]
        jobs = facts.jobs(database, server, [job.name for job in changed if job is not None])
        due = facts.next_times(database, (due for d in drafts for due in due_of(d)))
        known = "orchestra.registry" in server.relations and removes(drafts)
        dependents = checks.dependents(database, former or program.project) if known else []
        conditions = _told(database, former or program.project, conditions)
        target = _target(database, server, live, former or program.project, options)
        where = address(database.keywords)
        conditions += identity.conditions(
            program.project,
            options.meant,
            where,
            functions=any(r.kind == "edge_function" for r in program),
        )
        made = make(
            whole,
            live,
            drafts,
            conditions,
            findings,
            queues,
            jobs,
            due,
            options,
            moves=moves,
            key=transition(program.project, apart),
            target=target,
            tool_version=__version__,
            more_blockers=(
                *identity.blockers(program.project, options.meant, where, options.environment),
                *missing(composition, program, findings.projects | options.beside.keys()),
                *still_required(drafts, program, dependents),
            ),
        )
    made = with_unused(made, options, removals)
    return replace(made, round_trips=database.round_trips - trips, destroying=destroying)


def _told(database: Database, project: str, conditions: Sequence[Condition]) -> list[Condition]:
    """What operators turned, with who did it and why: asked for only where there is such a thing."""
    if not any(c.code in BY_HAND for c in conditions):
        return list(conditions)
    return list(told_by(conditions, ledger.turns(database, project)))


def drift_plan(database: Database, project: str, former: str | None, options: PlanOptions) -> Plan:
    """What is other than the last apply left it; see `orchestra.pipeline.drift_plan`."""
    trips = database.round_trips
    with database.reading(READ):
        server = probe(database)
        acting = _former_project(database, server, Program(project, {}, former=former)) or project
        live = read(database, server, acting, runtime.lower())
        changes, found = drift.drift(acting, live)
        conditions = tuple(_told(database, acting, found))
        target = _target(database, server, live, acting, options)
    unchanged = sum(not e.tombstoned for e in live.entries.values()) - len(changes)
    return Plan(
        acting,
        target,
        __version__,
        changes,
        conditions,
        unchanged=max(unchanged, 0),
        round_trips=database.round_trips - trips,
        refresh_only=True,
    )


def forget_plan(
    database: Database, project: str, addresses: Sequence[Address], declared: Program, options: PlanOptions
) -> Plan:
    """What it takes to give objects up; see `orchestra.pipeline.forget_plan`."""
    trips = database.round_trips
    gone = Program.of(project, ())
    with database.reading(READ):
        server = probe(database)
        live = read(database, server, project, ())
        drafts = [forgotten(live, address) for address in addresses]
        queues = facts.queues(database, sorted({name for d in drafts for name in queue_names(d)}))
        made = make(
            gone,
            live,
            drafts,
            [still_declared(address) for address in addresses if address in declared.resources],
            Findings(),
            queues,
            {},
            {},
            options,
            moves=Moves(),
            key=transition(project, drafts),
            target=_target(database, server, live, project, options),
            tool_version=__version__,
        )
    return replace(made, round_trips=database.round_trips - trips)


def _target(
    database: Database, server: ServerFacts, live: Live, project: str, options: PlanOptions
) -> Target:
    return Target(
        database.host,
        server.database,
        server.role,
        server.server_version,
        options.environment or _recorded_environment(live, project),
        options.where,
        server.identity,
    )


def _former_project(database: Database, server: ServerFacts, program: Program) -> str | None:
    """The name under which the project is there, if its move is still to come."""
    if program.former is None or "orchestra.project" not in server.relations:
        return None
    there = checks.projects(database)
    return program.former if program.former in there and program.project not in there else None


def _to_adopt(program: Program, options: PlanOptions) -> dict[str, frozenset[str]]:
    """Names of cron jobs that somebody wants to have taken over."""
    named = (options.adopted_from(r.address) for r in program if isinstance(r, CronJob))
    names = frozenset(name for name in named if name is not None)
    return {"cron_job": names} if names else {}


def _recorded_environment(live: Live, project: str) -> str:
    found = live.find("project", project)
    return str(found.values.get("environment") or "") if found else ""


def _opened_by_hand(conditions: Iterable[Condition]) -> bool:
    """Whether somebody resumed a paused environment, which is told already."""
    return any(c.code == "resumed_by_hand" and c.address.kind == "project" for c in conditions)


def _narrowed(program: Program, options: PlanOptions) -> Program:
    names = options.names
    if names is None:
        return program
    shared = {"extension", "runtime", "project", "dependency", "requirement", "secret"}

    def kept(r: Resource) -> bool:
        return r.kind in shared or workload_of(r.key) in names or is_shared(r.key)

    narrowed = program.only(r for r in program if kept(r))
    return replace(narrowed, moved=tuple((old, new) for old, new in program.moved if new in names))


def _for_environment(program: Program, options: PlanOptions) -> Program:
    gate = "paused" if options.environment_paused else "open"
    own = Project(program.project, options.environment, gate, options.protect)
    return replace(program, resources={**program.resources, own.address: own})


def _prove(database: Database, program: Program, options: PlanOptions) -> None:
    required = [r for r in program if isinstance(r, Requirement) and not _beside(r, options)]
    failed = checks.failed_requirements(database, required)
    if not failed:
        return
    lines = [
        f"requirement {r.key} does not hold: needs {describe(r)}"
        + (f" ({failed[r.key]})" if failed[r.key] else "")
        for r in required
        if r.key in failed
    ]
    first = dict.fromkeys(remedy(r) for r in required if r.key in failed and remedy(r))
    raise RequirementError(
        "; ".join(lines),
        "; ".join(["nothing was changed", *(first or ["bring the database to what `requires` says first"])]),
    )


def _beside(requirement: Requirement, options: PlanOptions) -> bool:
    """Whether what another project must have is made by the same command before this one."""
    made = options.beside.get(requirement.project or "")
    if made is None:
        return False
    if requirement.queue is not None:
        return Address("queue", requirement.queue) in made
    return requirement.workload is None or Address("workload", requirement.workload) in made


def _findings(
    database: Database, server: ServerFacts, program: Program, composition: Composition
) -> Findings:
    workloads = [r for r in program if isinstance(r, Workload)]
    triggers = [r for r in program if isinstance(r, TableTrigger)]
    roles = {s.role for w in workloads for s in w.statements() if s.role}
    roles |= {role for r in program if isinstance(r, (Grant, Progress)) for role in r.roles}
    known = "orchestra.project" in server.relations
    return Findings(
        checks.handler_faults(database, workloads),
        checks.tables(database, sorted({(t.schema, t.table) for t in triggers})),
        checks.roles(database, roles),
        checks.projects(database) if known and (composition.after or composition.before) else frozenset(),
        _foreign(database, workloads),
    )


def _foreign(database: Database, workloads: Iterable[Workload]) -> dict[str, list[ForeignColumn]]:
    """Columns whose operators a handler under an empty search path would silently not use."""
    tables: dict[str, set[tuple[str, str]]] = {}
    words: dict[str, frozenset[str]] = {}
    for w in workloads:
        for statement in w.statements():
            if statement.search_path:
                continue
            seen = inspect(statement.sql)
            if any(o.schema is None for o in seen.operators):
                named = {(r.schema, r.name) for r in seen.relations if r.schema}
                tables[w.key] = tables.get(w.key, set()) | named
                words[w.key] = words.get(w.key, frozenset()) | frozenset(_WORD.findall(statement.sql))
    wanted = sorted({t for found in tables.values() for t in found})
    foreign = checks.columns_with_own_operators(database, wanted)
    result: dict[str, list[ForeignColumn]] = {}
    for key, found in tables.items():
        hits = [c for c in foreign if (c.schema, c.table) in found and c.column in words[key]]
        if hits:
            result[key] = hits
    return result
