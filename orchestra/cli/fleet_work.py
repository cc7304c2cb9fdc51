"""What a worker of a fleet does with one database: plan it, or apply its plan. It never raises, and prints nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from orchestra.cli.crew import Gate
from orchestra.errors import OrchestraError
from orchestra.fleet.model import BY_EXIT_CODE, Outcome, Result

if TYPE_CHECKING:
    from orchestra.pipeline import PlanOptions
    from orchestra.plan.model import Plan
    from orchestra.spec.model import Spec

_FULL: Final = re.compile(
    # PostgreSQL itself, its reserved slots, its limits of roles and databases; Supavisor; PgBouncer.
    r"too many clients|remaining connection slots|too many connections|max clients reached|no more connections allowed",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Job:
    """One database. With a `plan` that is applied, without one it is planned."""

    name: str
    url: str = field(repr=False)
    options: PlanOptions
    plan: Plan | None = None
    lock_timeout_s: float | None = None
    git_commit: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    result: Result
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class FleetWork:
    """`spec` None: only saved plans are applied."""

    spec: Spec | None

    def __call__(self, job: Job, gate: Gate) -> Answer:
        started = time.monotonic()
        do = self._plan if job.plan is None else self._apply
        try:
            with gate.interruptible():
                answer = do(job)
        except KeyboardInterrupt:
            answer = _interrupted(job, time.monotonic() - started)
        except OrchestraError as error:
            answer = Answer(fault(job, error))
        except Exception as error:
            said = f"unexpected {type(error).__name__}: {error}"
            answer = Answer(
                _failed(
                    job, said, "this is a bug; the same with --env alone and ORCHESTRA_DEBUG=1 shows more"
                )
            )
        taken = replace(answer.result, seconds=round(time.monotonic() - started, 3))
        return replace(answer, result=_safe(taken, job.url))

    def _plan(self, job: Job) -> Answer:
        from orchestra import pipeline
        from orchestra.report import plan_json

        assert self.spec is not None
        spec = self.spec
        plan = _connected(job, lambda database: pipeline.plan(database, spec, job.options))
        outcome = Outcome.CHANGES if plan.changes else Outcome.UNCHANGED
        error = remedy = ""
        if plan.blockers:
            worst = min(plan.blockers, key=lambda b: b.exit_code)
            more = f" (and {len(plan.blockers) - 1} more)" if len(plan.blockers) > 1 else ""
            outcome = BY_EXIT_CODE.get(worst.exit_code, Outcome.FAILED)
            error, remedy = f"{worst.address}: {worst.message}{more}", worst.remedy
        row = _counted(Result(job.name, outcome, where(job.url), error=error, remedy=remedy), plan)
        return Answer(replace(row, plan_hash=plan_json.digest(plan)), plan)

    def _apply(self, job: Job) -> Answer:
        from orchestra import pipeline

        plan = job.plan
        assert plan is not None
        applied = _connected(
            job,
            lambda database: pipeline.apply(
                database,
                plan,
                job.options,
                lock_timeout_s=job.lock_timeout_s,
                git_commit=job.git_commit,
                actor=job.actor,
            ),
        )
        return Answer(_done(job, plan, applied.deployment_ids))


def lost(job: Job, exit_code: int | None) -> Answer:
    """The worker died; its connection with it, so the server rolls back what was not committed."""
    how = f"ended by signal {-exit_code}" if exit_code and exit_code < 0 else f"ended with {exit_code}"
    return Answer(
        _safe(
            _failed(
                job,
                f"the process that worked on it {how}; the server rolls back what was not committed",
                "plan again to see what is there",
            ),
            job.url,
        )
    )


def _connected(job: Job, do: Callable[[Any], Any]) -> Any:
    from orchestra.live.connect import connect
    from orchestra.spec.parsing import no_collection

    database = connect(job.url)
    try:
        with no_collection():
            return do(database)
    finally:
        database.close()


def _interrupted(job: Job, seconds: float) -> Answer:
    """A commit may have been on its way: the ledger tells."""
    plan = job.plan
    if plan is None:
        return Answer(Result(job.name, Outcome.INTERRUPTED, where(job.url), error="nothing was changed"))
    from orchestra.apply.landed import landed
    from orchestra.report import plan_json

    row = Result(job.name, Outcome.INTERRUPTED, where(job.url), error="rolled back: nothing was changed")
    try:
        ids = landed(job.url, plan.project, plan_json.digest(plan), seconds + 1)
    except OrchestraError as error:
        doubt = f"whether it was committed could not be asked: {error.message}"
        return Answer(replace(row, error=doubt, remedy="orchestra plan tells what is there"))
    if len(ids) == len(plan.batches):
        return Answer(_done(job, plan, ids))
    if ids:
        said = f"rolled back but for {len(ids)} of {len(plan.batches)} transactions, which stay"
        return Answer(
            replace(row, deployments=ids, error=said, remedy="the same apply again goes on from there")
        )
    return Answer(row)


def _done(job: Job, plan: Plan, deployments: tuple[int, ...]) -> Result:
    from orchestra.report import plan_json

    row = Result(job.name, Outcome.DONE, where(job.url), deployments=deployments)
    return _counted(replace(row, plan_hash=plan_json.digest(plan)), plan)


def _counted(row: Result, plan: Plan) -> Result:
    from orchestra.plan.model import tally

    found = tally(plan.changes)
    return replace(row, add=found["add"], change=found["change"], destroy=found["destroy"])


def fault(job: Job, error: OrchestraError) -> Result:
    """What is told of an error that has a sentence."""
    full = _FULL.search(error.message) is not None
    remedy = (
        "work on fewer at a time with --parallel N, or let the server have more connections" if full else ""
    )
    row = _failed(job, error.message, remedy or error.remedy)
    return replace(row, outcome=BY_EXIT_CODE.get(error.exit_code, Outcome.FAILED), full=full)


def _failed(job: Job, error: str, remedy: str) -> Result:
    return Result(job.name, Outcome.FAILED, where(job.url), error=error, remedy=remedy)


def where(url: str) -> str:
    """`app on db.example.com`."""
    from orchestra.live.connect import safe

    _, _, rest = safe(url).rpartition("@")
    host, _, database = rest.rpartition("/")
    return f"{database} on {host}" if database and host else host or database


def _safe(row: Result, url: str) -> Result:
    """On one line, and without the password of the URL, in whatever form somebody repeats it."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    from orchestra.report import mask

    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError:
        parts = {}
    secrets = [str(parts[key]) for key in ("password", "sslpassword") if parts.get(key)]
    found = re.match(r"[a-z]+://[^/@:]*:([^@/]*)@", url)  # as it stands there, percent signs and all
    secrets += [found[1]] if found and found[1] else []

    def clean(text: str) -> str:
        text = " ".join(text.split())
        for secret in secrets:
            text = text.replace(secret, mask.STARS)
        return mask.message(text)

    return replace(row, error=clean(row.error), remedy=clean(row.remedy))
