"""The whole road on one page: a spec becomes a Program, a Program and a database become a Plan, a Plan is applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from orchestra.emit.head import in_words, not_yet
from orchestra.emit.sql import emit_sql as _emit
from orchestra.ir.program import Address, Program
from orchestra.lower import lower
from orchestra.plan.options import PlanOptions
from orchestra.spec.model import Composition, Spec
from orchestra.version import __version__

if TYPE_CHECKING:
    from orchestra.apply.run import Applied
    from orchestra.live.connect import Database
    from orchestra.plan.model import Change, Plan

__all__ = [
    "PlanOptions",
    "apply",
    "compile_spec",
    "destroy_plan",
    "diff",
    "emit_functions",
    "emit_sql",
    "plan",
    "refuse_elsewhere",
]


def compile_spec(spec: Spec) -> Program:
    """All resources of a checked spec. The spec must have no errors."""
    return lower(spec)


def emit_sql(program: Program, spec: Spec | None = None) -> str:
    """The Program as one deterministic SQL text; with its spec, the summaries stand in it as comments."""
    notes = {Address("workload", w.name): w.summary for w in spec.workloads if w.summary} if spec else {}
    later = not_yet(spec) if spec else []
    place = in_words(spec.composition) if spec else ""
    return _emit(program, version=__version__, notes=notes, later=later, composition=place)


def emit_functions(spec: Spec) -> dict[str, str]:
    """The files of the Edge Functions, by path below the supabase folder; `handler.ts` is the scaffold."""
    from orchestra.emit.functions import emit_functions as emit

    return emit(spec, version=__version__)


def plan(database: Database, spec: Spec | Program, options: PlanOptions) -> Plan:
    """What apply would do. Reads the live state in one transaction and changes nothing.

    Raises RequirementError where a `requires` check does not hold, ConnectError where the role could not see what is
    there, VersionError where the database belongs to a newer orchestra.
    """
    from orchestra.plan.unsupported import unsupported
    from orchestra.planning import plan_program

    if isinstance(spec, Program):
        return plan_program(database, spec, options, (), Composition())
    later = [b for b in unsupported(spec) if options.workload in (None, b.address.name)]
    return plan_program(database, lower(spec), options, later, spec.composition)


def destroy_plan(database: Database, project: str, options: PlanOptions) -> Plan:
    """What it takes to remove a project, or one workload of it. The runtime stays: other projects may use it."""
    from orchestra.planning import plan_program

    return plan_program(database, Program.of(project, ()), options, (), Composition(), destroying=True)


def diff(before: Program, after: Program) -> tuple[Change, ...]:
    """What would change between two Programs, with no database."""
    from orchestra.plan.offline import diff as run

    return run(before, after)


def refuse_elsewhere(database: Database, plan: Plan) -> None:
    """Raises StalePlanError or BlockedError where a saved plan is not for this database. `apply` looks again."""
    from orchestra.apply.target import refuse_elsewhere as look
    from orchestra.live.server import probe

    look(plan, database, probe(database))


def apply(
    database: Database,
    plan: Plan,
    options: PlanOptions | None = None,
    *,
    lock_timeout_s: float | None = None,
    git_commit: str | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Applied:
    """Runs exactly this plan, or refuses. Each batch commits only if planning what it touched is then empty.

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
            on_progress=on_progress,
        )
