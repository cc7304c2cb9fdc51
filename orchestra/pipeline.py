"""The whole road on one page: a spec becomes a Program, a Program and a database become a Plan, a Plan is applied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from orchestra.emit.head import in_words
from orchestra.emit.sql import emit_sql as _emit
from orchestra.ir.program import Address, Program
from orchestra.lower import lower
from orchestra.plan.options import PlanOptions
from orchestra.spec.model import Composition, Spec
from orchestra.version import __version__

if TYPE_CHECKING:
    from orchestra.apply.run import Applied
    from orchestra.importing import Imported, Options
    from orchestra.live.connect import Database
    from orchestra.migrate import Draught, Lock
    from orchestra.plan.model import Change, Difference, Plan
    from orchestra.rollback import Rollback

__all__ = [
    "PlanOptions",
    "apply",
    "compile_spec",
    "destroy_plan",
    "diff",
    "difference",
    "drift_plan",
    "emit_functions",
    "emit_sql",
    "forget_plan",
    "import_database",
    "migration",
    "plan",
    "refuse_elsewhere",
    "rollback_plan",
]


def compile_spec(spec: Spec) -> Program:
    """All resources of a checked spec. The spec must have no errors."""
    return lower(spec)


def emit_sql(program: Program, spec: Spec | None = None) -> str:
    """The Program as one deterministic SQL text; with its spec, the summaries stand in it as comments."""
    notes = {Address("workload", w.name): w.summary for w in spec.workloads if w.summary} if spec else {}
    place = in_words(spec.composition) if spec else ""
    return _emit(program, version=__version__, notes=notes, composition=place)


def emit_functions(spec: Spec) -> dict[str, str]:
    """The files of the Edge Functions, by path below the supabase folder; `handler.ts` is the scaffold."""
    from orchestra.emit.functions import emit_functions as emit

    return emit(spec, version=__version__)


def plan(database: Database, spec: Spec | Program, options: PlanOptions) -> Plan:
    """What apply would do. Reads the live state in one transaction and changes nothing.

    Raises RequirementError where a `requires` check does not hold, ConnectError where the role could not see what is
    there, VersionError where the database belongs to a newer orchestra.
    """
    from orchestra.planning import plan_program

    if isinstance(spec, Program):
        return plan_program(database, spec, options, Composition())
    return plan_program(database, lower(spec), options, spec.composition)


def destroy_plan(database: Database, project: str, options: PlanOptions) -> Plan:
    """What it takes to remove a project, or one workload of it. The runtime stays: other projects may use it."""
    from orchestra.planning import plan_program

    return plan_program(database, Program.of(project, ()), options, Composition(), destroying=True)


def drift_plan(database: Database, spec: Spec, options: PlanOptions) -> Plan:
    """What was changed in the database since the last apply, by whomever and whatever the spec says by now. Reads only;
    `apply` refuses such a plan."""
    from orchestra.planning import drift_plan as run

    return run(database, spec.project, spec.moved, options)


def forget_plan(
    database: Database, project: str, addresses: Sequence[Address], spec: Spec | None, options: PlanOptions
) -> Plan:
    """What it takes to give these objects up and leave them as they are. Raises UsageError for what cannot be given up,
    or is not the project's."""
    from orchestra.planning import forget_plan as run

    declared = lower(spec) if spec is not None else Program.of(project, ())
    return run(database, project, addresses, declared, options)


def rollback_plan(
    database: Database, project: str, number: int, options: PlanOptions, *, as_recorded: bool = False
) -> Rollback:
    """What it takes to bring a project back to the state right after a deployment; see `orchestra.rollback`."""
    from orchestra.rollback import rollback_plan as run

    return run(database, project, number, options, as_recorded=as_recorded)


def diff(before: Program, after: Program) -> tuple[Change, ...]:
    """What would change between two Programs, with no database."""
    from orchestra.plan.offline import diff as run

    return run(before, after)


def migration(
    spec: Spec,
    lock: Lock,
    *,
    allow_destroy: bool = False,
    allow: frozenset[str] = frozenset(),
    on_delete: str | None = None,
) -> Draught:
    """What the next migration would do after those of the lock; empty of changes where there is nothing to do.

    Raises UsageError for an approval that it has no use for.
    """
    from orchestra.migrate import draw

    return draw(lower(spec), lock, allow_destroy=allow_destroy, allow=allow, on_delete=on_delete)


def difference(
    before: Spec | None, after: Spec, options: PlanOptions, *, base: str, today: date | None = None
) -> Difference:
    """What a plan of `after` would do to a database in step with `before`, and what becomes of load and cost. `base`
    says in words what `before` is; None: there was no spec, so everything is new."""
    from orchestra.plan.loads import compare_loads
    from orchestra.plan.offline import difference as run

    new = lower(after)
    old = Program.of(after.project, ()) if before is None else lower(before)
    load = compare_loads(None if before is None else (before, old), (after, new))
    return run(old, new, options, base=base, load=load, today=today)


def refuse_elsewhere(database: Database, plan: Plan) -> None:
    """Raises StalePlanError or BlockedError where a saved plan is not for this database. `apply` looks again."""
    from orchestra.apply.target import refuse_elsewhere as look
    from orchestra.live.server import probe

    look(plan, database, probe(database))


def import_database(database: Database, options: Options) -> Imported:
    """A spec of the queues and cron jobs that are there and no project's, which a plan with its `command` adopts. Reads
    only.

    Raises UsageError where the project exists already, ConnectError where the role could not see what is there,
    OrchestraError where there is nothing to import.
    """
    from orchestra.importing import MARKERS, make
    from orchestra.kinds.workload import Workload
    from orchestra.live.checks import handler_faults
    from orchestra.live.take_inventory import READ, take_inventory

    with database.reading(READ):
        inventory = take_inventory(database, MARKERS)
        made = make(inventory, options)
        # As in a plan, whose way a statement would block that PostgreSQL refuses.
        faults = handler_faults(database, (r for r in lower(made.spec) if isinstance(r, Workload)))
    if not faults:
        return made
    jobs = {item.workload: item.jobid for item in made.made if item.jobid is not None}
    refused = {jobs[f.workload]: f.said for f in faults if f.workload in jobs}
    return make(inventory, replace(options, refused=refused))


def apply(
    database: Database,
    plan: Plan,
    options: PlanOptions | None = None,
    *,
    lock_timeout_s: float | None = None,
    git_commit: str | None = None,
    actor: str | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Applied:
    """Runs exactly this plan, or refuses. Each batch commits only if planning what it touched is then empty.

    `git_commit` and `actor`, a person behind the role, are for the ledger.

    Raises BlockedError, StalePlanError, LockedError, ProofError, ApplyError or InDoubtError.
    """
    from concurrent.futures import ThreadPoolExecutor

    from orchestra.apply.run import apply as run
    from orchestra.report.plan_json import digest

    # Of a large plan it takes a second, which the server spends on the first changes; the ledger wants it last.
    with ThreadPoolExecutor(1) as beside:
        return run(
            database,
            plan,
            options or PlanOptions(),
            lock_timeout_s=lock_timeout_s,
            plan_hash=beside.submit(digest, plan).result,
            git_commit=git_commit,
            actor=actor,
            on_progress=on_progress,
        )
