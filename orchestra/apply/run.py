"""Runs the steps of a plan. It decides nothing: a batch commits only if planning what it touched is then empty."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from orchestra.apply.doubt import Marker, settle
from orchestra.apply.faults import refuse, translated
from orchestra.apply.lock import take_lock
from orchestra.apply.proof import Part, Seen, look, parts, prove
from orchestra.errors import ApplyError, BlockedError, OrchestraError, StalePlanError
from orchestra.ir.sql import literal, value
from orchestra.live.connect import Database, StatementError, machine
from orchestra.live.model import ServerFacts
from orchestra.live.server import probe
from orchestra.plan.model import Change, Plan
from orchestra.plan.options import PlanOptions

Progress = Callable[[int, int, str], None]

_SCRIPTS: Final = frozenset({"extension", "runtime"})
"""Kinds whose statements are whole scripts, so that they cannot go through the pipeline."""
_CHUNK: Final = 250
"""Statements a pipeline sends before it says how far it is."""
BEGIN: Final = (
    "begin isolation level read committed; "
    "set local lock_timeout = '10s'; set local statement_timeout = '10min'; "
    "set local idle_in_transaction_session_timeout = '15min'; set local client_min_messages = warning"
)


@dataclass(frozen=True, slots=True)
class Applied:
    """How much was done: changes, transactions, the ledger's rows, and the seconds it took."""

    changes: int
    batches: int
    deployment_ids: tuple[int, ...]
    seconds: float


def apply(
    database: Database,
    plan: Plan,
    options: PlanOptions,
    *,
    lock_timeout_s: float | None,
    plan_hash: str,
    git_commit: str | None,
    on_progress: Progress | None,
) -> Applied:
    """See `orchestra.pipeline.apply`."""
    refuse_blocked(plan)
    started = time.monotonic()
    ledger: list[int] = []
    done = 0
    for number, part in enumerate(parts(plan), 1):
        size = plan.batches[number - 1]
        changes = plan.changes[done : done + size]
        run = _Batch(database, plan, options, part, changes, number, done, plan_hash, git_commit, on_progress)
        try:
            ledger.append(run.execute(lock_timeout_s))
        except OrchestraError as error:
            if number > 1:
                error.remedy = (
                    f"batches 1 to {number - 1} of {len(plan.batches)} are applied and stay; plan again to go on. "
                    + error.remedy
                )
            raise
        done += size
    return Applied(done, len(plan.batches), tuple(ledger), time.monotonic() - started)


def refuse_blocked(plan: Plan) -> None:
    """Raises what stands in a plan's way: ApplyError where it cannot work, BlockedError where it may not be."""
    if not plan.blockers:
        return
    # A plan that cannot work at all is an error (1); one that is only not allowed is a refusal (5).
    worst = min(plan.blockers, key=lambda b: b.exit_code)
    more = f" (and {len(plan.blockers) - 1} more)" if len(plan.blockers) > 1 else ""
    kind = ApplyError if worst.exit_code == 1 else BlockedError
    raise kind(f"{worst.address}: {worst.message}{more}", worst.remedy)


@dataclass(frozen=True, slots=True)
class _Batch:
    """One transaction of a plan."""

    database: Database
    plan: Plan
    options: PlanOptions
    part: Part
    changes: Sequence[Change]
    number: int
    done: int
    plan_hash: str
    git_commit: str | None
    on_progress: Progress | None

    def execute(self, lock_timeout_s: float | None) -> int:
        """Everything from lock to commit; gives the ledger's row. What fails leaves nothing behind."""
        try:
            with self.database.transaction(BEGIN):
                take_lock(self.database, lock_timeout_s)
                server = probe(self.database)
                self._refuse_elsewhere(server)
                before = look(self.database, server, self.part)
                self._refuse_stale(before)
                self._run()
                server = self._probe_again(server)
                prove(self.database, server, self.part, before, self.options)
                marker = self._record()
                self._commit(marker)
                return marker.deployment
        except psycopg.Error as error:
            raise translated(error) from error

    def _refuse_elsewhere(self, server: ServerFacts) -> None:
        """A saved plan is for one database, one role and one environment; elsewhere its objects may look the same."""
        meant = self.plan.target
        here = (machine(self.database.host), server.database, server.role)
        if here != (machine(meant.host), meant.database, meant.role):
            raise StalePlanError(
                f"this plan was made for database {meant.database} on {meant.host} as role {meant.role}, and this is "
                f"{server.database} on {self.database.host} as role {server.role}",
                "nothing was changed; plan again for the database that is meant",
            )
        if "orchestra.project" not in server.relations:
            return
        for row in self.database.rows(
            "select owner_role, environment from orchestra.project where project = %(project)s",
            {"project": self.plan.project},
        ):
            if row["owner_role"] != server.role or row["environment"] not in (None, meant.environment):
                raise BlockedError(
                    f"project.{self.plan.project}: this database holds environment {row['environment']} of the "
                    f"project, owned by role {row['owner_role']}; the plan is for {meant.environment} as {server.role}",
                    "plan again with the environment and the role that are meant",
                )

    def _refuse_stale(self, seen: Seen) -> None:
        for change in self.changes:
            if seen.fingerprints.get(change.address, "") != change.before:
                raise StalePlanError(
                    f"{change.address} has changed since the plan was made",
                    "nothing was changed by this step; plan again and look at what is different",
                )

    def _run(self) -> None:
        waiting: list[tuple[Change, str]] = []
        for position, change in enumerate(self.changes, self.done + 1):
            if change.address.kind in _SCRIPTS:
                self._flush(waiting)
                for statement in change.statements:
                    self._script(change, statement)
            else:
                waiting += [(change, s) for s in change.statements]
            if len(waiting) >= _CHUNK:
                self._flush(waiting)
                self._progress(position, str(change.address))
        self._flush(waiting)
        self._progress(self.done + len(self.changes), "")

    def _script(self, change: Change, statement: str) -> None:
        try:
            self.database.script(statement)
        except psycopg.Error as error:
            raise refuse(change, error) from error

    def _flush(self, waiting: list[tuple[Change, str]]) -> None:
        try:
            self.database.each([s for _, s in waiting])
        except StatementError as failed:
            raise refuse(waiting[failed.index][0], failed.error) from failed
        waiting.clear()

    def _progress(self, position: int, what: str) -> None:
        if self.on_progress is not None:
            self.on_progress(position, len(self.plan.changes), what)

    def _probe_again(self, server: ServerFacts) -> ServerFacts:
        made = {c.address.kind for c in self.changes}
        return probe(self.database) if made & _SCRIPTS else server

    def _record(self) -> Marker:
        """The ledger row, and what tells afterwards whether this transaction was committed."""
        changes = [
            {
                "address": str(c.address),
                "action": c.action.value,
                "category": c.category.value,
                "reasons": list(c.reasons),
                "before": {f.path: f.before for f in c.fields if f.before is not None},
                "after": {f.path: f.after for f in c.fields if f.after is not None},
            }
            for c in self.changes
        ]
        columns = {
            "project": self.plan.project,
            "environment": self.plan.target.environment,
            "tool_version": self.plan.tool_version,
            "git_commit": self.git_commit,
            "plan_hash": self.plan_hash,
            "batch": self.number,
            "batches": len(self.plan.batches),
        }
        (row,) = self.database.rows(
            f"insert into orchestra.deployment ({', '.join(columns)}, changes) "
            f"values ({', '.join(value(v) for v in columns.values())}, "
            f"{literal(json.dumps(changes))}) "
            "returning id, pg_current_xact_id()::text as xact"
        )
        return Marker(row["id"], row["xact"])

    def _commit(self, marker: Marker) -> None:
        try:
            self.database.script("commit")
        except psycopg.OperationalError as error:
            settle(self.database, marker, error)
