"""The live half of history: what is read to show a project's deployments, and the plan that goes back to one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from orchestra.errors import OrchestraError, UsageError
from orchestra.history.group import deployments, merged
from orchestra.history.model import Deployment, History
from orchestra.history.moved import moved_since
from orchestra.history.program import program_of
from orchestra.history.said import as_rollback
from orchestra.history.state import State, agrees, backwards, by_hand, forwards, refuse_unknowable, rest
from orchestra.ir.program import Address, Program
from orchestra.live import ledger
from orchestra.live.connect import Database
from orchestra.live.ledger_rows import Traces
from orchestra.live.server import probe
from orchestra.plan.model import Plan
from orchestra.plan.options import PlanOptions
from orchestra.plan.owning import belongs
from orchestra.planning import READ, plan_program
from orchestra.spec.model import Composition

_VERBS: Final = 1_000
"""Verbs of operators that are read at most; each is one line."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """The plan, and where it leads."""

    plan: Plan
    deployment: Deployment


def history(database: Database, project: str, *, limit: int, workload: str | None = None) -> History:
    """The newest `limit` deployments of a project and what operators did since the oldest of them, the newest first.
    Empty where there is no ledger. Raises ConnectError where the role may not read it."""
    with database.reading(READ):
        if not ledger.exists(probe(database)):
            return History(project, ())
        found = deployments(ledger.newest(database, project, limit + 1, workload))
        shown, more = found[:limit], len(found) > limit
        # What came before the oldest deployment that is shown would stand after it without saying how much is missing.
        since = min(t.row.deployed_at for t in shown[-1].transactions) if more else None
        verbs = ledger.verbs(database, project, since, _VERBS + 1, workload)
        return History(project, merged(shown, verbs[:_VERBS]), more, len(verbs) > _VERBS)


def projects(database: Database) -> list[str]:
    """Those of which the ledger of a database speaks."""
    with database.reading(READ):
        return ledger.projects(database) if ledger.exists(probe(database)) else []


def deployment(database: Database, project: str, number: int) -> Deployment:
    """The deployment of which row `number` of the ledger is one, with its changes. UsageError where there is none."""
    with database.reading(READ):
        return _deployment(database, project, number)


def _deployment(database: Database, project: str, number: int) -> Deployment:
    if not ledger.exists(probe(database)):
        raise UsageError(
            "this database has no history: orchestra was never applied to it",
            "choose the database that was meant",
        )
    for found in deployments(ledger.apply_of(database, project, number)):
        if any(t.row.id == number for t in found.transactions):
            return found
    owner = ledger.owner_of(database, number)
    if owner is not None:
        raise UsageError(
            f"deployment {number} is one of project {owner}, not of {project}",
            f"orchestra history shows those of {project}; --project {owner} means the other",
        )
    raise UsageError(
        f"project {project} has no deployment {number} in this database",
        "orchestra history shows their numbers",
    )


def rollback_plan(
    database: Database, project: str, number: int, options: PlanOptions, *, as_recorded: bool = False
) -> Rollback:
    """What it takes to bring a project back to the state right after a deployment: a plan like any other.

    Its environment, gate and protection stay those of `options`; `as_recorded` takes those that the database holds,
    where no spec says them. Raises UsageError for a number that is not there, and OrchestraError where the ledger does
    not tell that state for certain.
    """
    with database.reading(READ):
        found = _deployment(database, project, number)
        refuse_unknowable(found)
        moved = moved_since(ledger.moves(database, project, found.number), found)
        recorded = ledger.recorded_now(database, project)
        state = _proved(database, project, recorded, found)
        adopted = ledger.adopted(database, project, found.number)
        if as_recorded:
            options = _as_recorded(database, project, found, recorded, options)
    now: State = {address: entry for address, entry in recorded.items() if entry is not None}
    if options.workload is not None:
        _known(options.workload, state, now, found)
    _refuse_crossed(moved, state, found, options.workload)
    program = replace(program_of(project, state, found), moved=moved)
    gone = f"project.{project}" not in state
    plan = plan_program(
        database,
        Program.of(project, ()) if gone else program,
        options,
        Composition(),
        destroying=gone,
    )
    return Rollback(as_rollback(plan, program, now, adopted, found, options.workload), found)


def _proved(database: Database, project: str, now: Traces, found: Deployment) -> State:
    """The one state that the deployment itself bears witness to."""
    state = backwards(now, ledger.traces(database, project, found.number, later=True))
    if _bears_witness(database, state, found):
        return state
    state = forwards(state, ledger.traces(database, project, found.number, later=False))
    if _bears_witness(database, state, found):
        return state
    raise OrchestraError(
        f"the ledger does not tell for certain what deployment {found.number} left behind: something that it does not "
        "know of, such as compiled SQL or a change by hand, wrote to the registry as well",
        by_hand(found),
    )


def _bears_witness(database: Database, state: State, found: Deployment) -> bool:
    return agrees(state, found) and ledger.digest(database, rest(state, found)) == found.last.rest


def _as_recorded(
    database: Database, project: str, found: Deployment, now: Traces, options: PlanOptions
) -> PlanOptions:
    """The environment and the gate of the database as it is; of the last time, where the project was removed."""
    rows = database.rows(
        "select environment from orchestra.project where project = %(project)s", {"project": project}
    )
    address = f"project.{project}"
    entry = now.get(address)
    if entry is None:
        entry = ledger.traces(database, project, found.number, later=False).get(address) or {}
    environment = (rows[0]["environment"] if rows else None) or found.last.environment or "default"
    return replace(options, environment=environment, environment_paused=entry.get("gate") == "paused")


def _refuse_crossed(
    moved: tuple[tuple[str, str], ...], state: State, found: Deployment, workload: str | None
) -> None:
    """Where another workload had the name that one has now, its messages would be handed to the other's handler."""
    for name, former in moved:
        if f"workload.{name}" in state and workload in (None, name, former):
            raise OrchestraError(
                f"workload {name} was called {former} at deployment {found.number}, and {name} was another one then: "
                "there is no way back across that in one step",
                by_hand(found),
            )


def _known(workload: str, state: State, now: State, found: Deployment) -> None:
    if not any(belongs(Address.parse(a).name, workload) for a in (*state, *now)):
        raise UsageError(
            f"there is no workload {workload!r}, neither now nor after deployment {found.number}",
            "orchestra history shows what each deployment changed",
        )
