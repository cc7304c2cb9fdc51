"""The public functions, thin over the pipeline: the same road that the command line walks, without its
shell.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestra.apply.run import Applied
    from orchestra.diagnostics import Diagnostic
    from orchestra.ir.program import Program
    from orchestra.pipeline import PlanOptions
    from orchestra.plan.model import Plan
    from orchestra.spec.model import Spec


def __getattr__(name: str) -> object:
    if name == "PlanOptions":
        from orchestra.pipeline import PlanOptions

        return PlanOptions
    raise AttributeError(f"module 'orchestra.library' has no attribute {name!r}")


def load(paths: str | Path | Sequence[str | Path]) -> Spec:
    """Read a spec from one file, a folder of files, or several of them.

    Raises SpecError with every finding where the files do not make a spec. What is wrong with a spec that
    could be read, `check` says.
    """
    from orchestra.errors import SpecError
    from orchestra.spec import load_spec

    many = [paths] if isinstance(paths, (str, Path)) else paths
    result = load_spec([Path(path) for path in many])
    if result.spec is None or any(d.is_error for d in result.diagnostics):
        raise SpecError(result.diagnostics)
    return result.spec


def check(spec: Spec) -> tuple[Diagnostic, ...]:
    """Every finding of every rule, warnings included."""
    from orchestra.check import check as run

    return run(spec)


def compile(spec: Spec) -> Program:
    """The resources that a spec wants in its database. Raises SpecError where a rule forbids it."""
    from orchestra.errors import SpecError
    from orchestra.pipeline import compile_spec

    findings = check(spec)
    if any(d.is_error for d in findings):
        raise SpecError(findings)
    return compile_spec(spec)


def emit_functions(spec: Spec) -> dict[str, str]:
    """The files of a spec's Edge Functions, by their paths below the supabase folder; `handler.ts` as the scaffold that
    is written once. Raises SpecError where a rule forbids the spec."""
    from orchestra.errors import SpecError
    from orchestra.pipeline import emit_functions as run

    findings = check(spec)
    if any(d.is_error for d in findings):
        raise SpecError(findings)
    return run(spec)


def connect(url: str) -> Any:
    """A connection as `plan` and `apply` want it; ConnectError, without the password, where there is none."""
    from orchestra.live.connect import connect as run

    return run(url)


def plan(connection: Any, spec: Spec | Program, options: PlanOptions | None = None) -> Plan:
    """What would change in the live database. Reads only."""
    from orchestra.pipeline import PlanOptions
    from orchestra.pipeline import plan as run

    return run(connection, spec, options or PlanOptions())


def apply(
    connection: Any, plan: Plan, options: PlanOptions | None = None, *, lock_timeout_s: float | None = None
) -> Applied:
    """Run exactly this plan, or raise: StalePlanError, LockedError, BlockedError, ProofError … (see
    `errors`).
    """
    from orchestra.pipeline import PlanOptions
    from orchestra.pipeline import apply as run

    return run(connection, plan, options or PlanOptions(), lock_timeout_s=lock_timeout_s)
