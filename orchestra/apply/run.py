"""Runs the batches of a plan. It decides nothing: what a batch does and when it may commit is its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby

import psycopg

from orchestra.apply.abreast import Abreast
from orchestra.apply.batch import Batch, Enter, Run
from orchestra.apply.faults import ROLLED_BACK, translated
from orchestra.apply.launcher import remind
from orchestra.apply.lock import held, take_lock
from orchestra.errors import ApplyError, BlockedError, ConnectError, OrchestraError, UsageError
from orchestra.live.connect import Database, connect
from orchestra.plan.batches import ABREAST, independent
from orchestra.plan.model import Plan
from orchestra.plan.options import PlanOptions

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Applied:
    """How much was done: changes, transactions, the ledger's rows, and the seconds it took."""

    changes: int
    batches: int
    deployment_ids: tuple[int, ...]
    seconds: float


class Stopped(KeyboardInterrupt):
    """Ctrl-C in the midst of an apply of many batches, of which `committed` stay."""

    def __init__(self, committed: int) -> None:
        super().__init__()
        self.committed = committed


def apply(
    database: Database,
    plan: Plan,
    options: PlanOptions,
    *,
    lock_timeout_s: float | None,
    plan_hash: Callable[[], str],
    git_commit: str | None,
    actor: str | None,
    on_progress: Progress | None,
) -> Applied:
    """See `orchestra.pipeline.apply`."""
    refuse_blocked(plan, options)
    started = time.monotonic()
    sent = 0
    telling = threading.Lock()

    def told(more: int, what: str) -> None:
        nonlocal sent
        with telling:
            sent += more
            if on_progress is not None:
                on_progress(sent, len(plan.changes), what)

    run = Run(plan, options, dict(plan.desired), plan_hash, git_commit, actor, told)
    batches = tuple(_batches(run))
    if len(batches) <= 1:
        ledger = [b.execute(database, lambda d: take_lock(d, lock_timeout_s)) for b in batches]
    else:
        ledger = _many(database, batches, lock_timeout_s)
    remind(database, plan)
    return Applied(len(plan.changes), len(batches), tuple(ledger), time.monotonic() - started)


def refuse_blocked(plan: Plan, options: PlanOptions) -> None:
    """Raises what stands in a plan's way: ApplyError where it cannot work, BlockedError where it may not be, UsageError
    where it is none to be applied."""
    if plan.refresh_only:
        raise UsageError(
            "this plan only shows what was changed outside orchestra (plan --refresh-only)",
            "plan again without --refresh-only: that says what it takes to make it as the spec says",
        )
    if not plan.blockers:
        _refuse_flags(plan, options)
        return
    # A plan that cannot work at all is an error (1); one that is only not allowed is a refusal (5).
    worst = min(plan.blockers, key=lambda b: b.exit_code)
    more = f" (and {len(plan.blockers) - 1} more)" if len(plan.blockers) > 1 else ""
    kind = ApplyError if worst.exit_code == 1 else BlockedError
    raise kind(f"{worst.address}: {worst.message}{more}", worst.remedy)


def _refuse_flags(plan: Plan, options: PlanOptions) -> None:
    """BlockedError for a saved plan that stands on a flag, where the environment takes committed approvals only."""
    if not options.approvals_required:
        return
    for change in plan.changes:
        for hazard in change.hazards:
            if hazard.needs_approval and hazard.approved_by.startswith("--allow"):
                raise BlockedError(
                    f"{change.address}: {hazard.message}; that was approved by {hazard.approved_by}",
                    "this environment wants an approval that is committed: orchestra approve PLAN.json, and plan again "
                    "with --env",
                )


def _batches(run: Run) -> Iterator[Batch]:
    done = 0
    for number, size in enumerate(run.plan.batches, 1):
        yield Batch(run, number, run.plan.changes[done : done + size])
        done += size


def _many(database: Database, batches: Sequence[Batch], lock_timeout_s: float | None) -> list[int]:
    """Those that need nothing of each other abreast, all others one after the other, under one lock."""
    ledger: dict[int, int] = {}
    try:
        with ExitStack() as stack:
            enter = stack.enter_context(held(database, lock_timeout_s))
            waves = [list(w) for _, w in groupby(batches, lambda b: independent(b.changes) or b.number)]
            crew = [database, *_more(database, min(max(map(len, waves)), ABREAST) - 1, stack)]
            for wave in waves:
                _wave(crew, wave, enter, ledger)
    except KeyboardInterrupt:
        raise Stopped(len(ledger)) from None
    except psycopg.Error as error:
        raise translated(error) from error
    except OrchestraError as error:
        if ledger:
            rest = error.remedy.replace(ROLLED_BACK, "the rest of its batch was rolled back")
            error.remedy = f"{_said(ledger, len(batches))}; plan again to go on. {rest}"
        raise
    return [ledger[number] for number in sorted(ledger)]


def _more(database: Database, number: int, stack: ExitStack) -> Iterator[Database]:
    """Further connections, as many of them as the server grants: an apply goes on with what it has."""
    for _ in range(number):
        try:
            another = connect(database.url)
        except ConnectError:
            return
        stack.callback(another.close)
        yield another


def _wave(crew: Sequence[Database], wave: Sequence[Batch], enter: Enter, ledger: dict[int, int]) -> None:
    def one(database: Database, batch: Batch) -> None:
        ledger[batch.number] = batch.execute(database, enter)

    Abreast(crew[: len(wave)], wave, one).run()


def _said(ledger: dict[int, int], total: int) -> str:
    """`batches 1 to 3 and 5 of 24 are applied and stay`."""
    runs: list[list[int]] = []
    for number in sorted(ledger):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [f"{r[0]} to {r[-1]}" if len(r) > 1 else str(r[0]) for r in runs]
    listed = " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    if len(ledger) == 1:
        return f"batch {listed} of {total} is applied and stays"
    return f"batches {listed} of {total} are applied and stay"
