"""One transaction of a plan, from lock to commit. It commits only if planning what it touched is then empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from orchestra.apply import record
from orchestra.apply.doubt import Marker, settle
from orchestra.apply.faults import refuse, translated
from orchestra.apply.lock import OWN_PACE
from orchestra.apply.proof import Part, Seen, look, prove
from orchestra.apply.record import Registered
from orchestra.apply.target import refuse_elsewhere
from orchestra.errors import StalePlanError
from orchestra.history.said import back_to
from orchestra.ir.program import Address, Json
from orchestra.ir.sql import value
from orchestra.live.connect import Database, StatementError
from orchestra.live.server import probe
from orchestra.plan.model import Change, Plan
from orchestra.plan.options import PlanOptions

Enter = Callable[[Database], None]
"""What the transaction does first: it takes the lock, or makes sure that its apply holds it."""
Told = Callable[[int, str], None]
"""How many further changes were sent, and the address of the last."""

_SCRIPTS: Final = frozenset({"extension", "runtime"})
"""Kinds whose statements are whole scripts, so that they cannot go through the pipeline."""
_REGISTRY: Final = "orchestra.registry"
_CHUNK: Final = 250
"""Statements a pipeline sends before it says how far it is."""
BEGIN: Final = (
    "begin isolation level read committed; "
    "set local lock_timeout = '10s'; set local statement_timeout = '10min'; "
    f"set local client_min_messages = warning; {OWN_PACE}"
)


@dataclass(frozen=True, slots=True)
class Run:
    """What all batches of an apply have in common."""

    plan: Plan
    options: PlanOptions
    desired: Mapping[Address, dict[str, Json] | None]
    plan_hash: Callable[[], str]
    git_commit: str | None
    actor: str | None
    told: Told


@dataclass(frozen=True, slots=True)
class Batch:
    """The changes of one transaction. `number` counts from 1."""

    run: Run
    number: int
    changes: Sequence[Change]

    def execute(self, database: Database, enter: Enter) -> int:
        """Gives the ledger's row. What fails leaves nothing behind."""
        plan = self.run.plan
        part = Part.of(plan.project, self.changes, self.run.desired)
        try:
            with database.transaction(BEGIN):
                enter(database)
                server = probe(database)
                refuse_elsewhere(plan, database, server)
                before = look(database, server, part, before=True)
                self._refuse_stale(before)
                was = self._registered(database) if _REGISTRY in server.relations else {}
                self._run(database)
                if any(c.address.kind in _SCRIPTS for c in self.changes):
                    server = probe(database)
                prove(database, server, part, before, self.run.options)
                marker = self._record(database, was)
                _commit(database, marker)
                return marker.deployment
        except psycopg.Error as error:
            raise translated(error) from error

    def _registered(self, database: Database) -> Registered:
        addresses = {a for c in self.changes for a in (c.address, c.moved_from) if a is not None}
        return record.registered(database, self.run.plan.project, addresses)

    def _refuse_stale(self, seen: Seen) -> None:
        for change in self.changes:
            if seen.fingerprints.get(change.address, "") != change.before:
                raise StalePlanError(
                    f"{change.address} has changed since the plan was made",
                    "nothing was changed by this step; plan again and look at what is different",
                )

    def _run(self, database: Database) -> None:
        waiting: list[tuple[Change, str]] = []
        untold = 0
        for change in self.changes:
            untold += 1
            if change.address.kind in _SCRIPTS:
                _flush(database, waiting)
                for statement in change.statements:
                    _script(database, change, statement)
            else:
                waiting += [(change, s) for s in change.statements]
            if len(waiting) >= _CHUNK:
                _flush(database, waiting)
                self.run.told(untold, str(change.address))
                untold = 0
        _flush(database, waiting)
        self.run.told(untold, "")

    def _record(self, database: Database, was: Registered) -> Marker:
        """The ledger row, and what tells afterwards whether this transaction was committed."""
        plan = self.run.plan
        columns = {
            "project": plan.project,
            "environment": plan.target.environment,
            "tool_version": plan.tool_version,
            "git_commit": self.run.git_commit,
            "plan_hash": self.run.plan_hash(),
            "batch": self.number,
            "batches": len(plan.batches),
        }
        statement = record.insert(
            {name: value(v) for name, v in columns.items()},
            self.changes,
            self.run.desired,
            actor=self.run.actor,
            back_to=back_to(plan),
            was=was,
            now=self._registered(database),
        )
        (row,) = database.rows(statement)
        return Marker(row["id"], row["xact"])


def _script(database: Database, change: Change, statement: str) -> None:
    try:
        database.script(statement)
    except psycopg.Error as error:
        raise refuse(change, error) from error


def _flush(database: Database, waiting: list[tuple[Change, str]]) -> None:
    try:
        database.each([s for _, s in waiting])
    except StatementError as failed:
        raise refuse(waiting[failed.index][0], failed.error) from failed
    waiting.clear()


def _commit(database: Database, marker: Marker) -> None:
    try:
        database.script("commit")
    except psycopg.OperationalError as error:
        settle(database, marker, error)
