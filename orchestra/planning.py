"""The live half of the road: what a plan has to look up, in one transaction and a constant number of round trips."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from orchestra.errors import RequirementError
from orchestra.ir.program import Program, Resource
from orchestra.kinds.cron_job import is_shared
from orchestra.kinds.grant import Grant
from orchestra.kinds.progress import Progress
from orchestra.kinds.project import Project
from orchestra.kinds.requirement import Requirement, describe
from orchestra.kinds.table_trigger import TableTrigger
from orchestra.kinds.workload import Workload
from orchestra.live import checks, facts
from orchestra.live.connect import Database
from orchestra.live.model import ForeignColumn, Live, ServerFacts
from orchestra.live.read import read
from orchestra.live.server import probe
from orchestra.plan.blockers import Findings
from orchestra.plan.compare import belongs, compare
from orchestra.plan.composition import missing, overtaken
from orchestra.plan.hazards import queue_names
from orchestra.plan.make import due_of, make
from orchestra.plan.model import Blocker, Plan, Target
from orchestra.plan.options import PlanOptions
from orchestra.plan.said import with_unused
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
    later: Iterable[Blocker],
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
        _prove(database, program)
        live = read(database, server, program.project, program)
        drafts, conditions = compare(program, live, options)
        findings = _findings(database, server, program, composition)
        conditions += overtaken(composition, program, findings.projects, live)
        touched = sorted({name for d in drafts for name in queue_names(d)})
        queues = facts.queues(database, touched)
        jobs = facts.jobs(
            database, server, [d.live.name for d in drafts if d.address.kind == "cron_job" and d.live]
        )
        due = facts.next_times(database, (due for d in drafts for due in due_of(d)))
        target = Target(
            database.host,
            server.database,
            server.role,
            server.server_version,
            options.environment or _recorded_environment(live, program.project),
            options.where,
            server.identity,
        )
        made = make(
            program,
            live,
            drafts,
            conditions,
            findings,
            queues,
            jobs,
            due,
            options,
            target=target,
            tool_version=__version__,
            more_blockers=(*later, *missing(composition, program, findings.projects)),
        )
    made = with_unused(made, options)
    return replace(made, round_trips=database.round_trips - trips, destroying=destroying)


def _recorded_environment(live: Live, project: str) -> str:
    found = live.find("project", project)
    return str(found.values.get("environment") or "") if found else ""


def _narrowed(program: Program, options: PlanOptions) -> Program:
    if options.workload is None:
        return program
    shared = {"extension", "runtime", "project", "requirement", "secret"}

    def kept(r: Resource) -> bool:
        return r.kind in shared or belongs(r.key, options.workload or "") or is_shared(r.key)

    return Program.of(program.project, (r for r in program if kept(r)))


def _for_environment(program: Program, options: PlanOptions) -> Program:
    gate = "paused" if options.environment_paused else "open"
    own = Project(program.project, options.environment, gate, options.protect)
    return Program(program.project, {**program.resources, own.address: own})


def _prove(database: Database, program: Program) -> None:
    required = [r for r in program if isinstance(r, Requirement)]
    failed = checks.failed_requirements(database, required)
    if not failed:
        return
    lines = [
        f"requirement {r.key} does not hold: needs {describe(r)}"
        + (f" ({failed[r.key]})" if failed[r.key] else "")
        for r in required
        if r.key in failed
    ]
    raise RequirementError(
        "; ".join(lines), "nothing was changed; bring the database to what `requires` says first"
    )


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
        checks.projects(database, [*composition.after, *composition.before]) if known else frozenset(),
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
