"""One run over many databases: its processes, its progress, and how it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from orchestra.cli import actor, confirm, console, git
from orchestra.cli.database import Chosen
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.cli.environments import Place
    from orchestra.cli.fleet_work import Answer, FleetWork, Job
    from orchestra.fleet.groups import Group
    from orchestra.fleet.model import Result
    from orchestra.fleet.schedule import Schedule
    from orchestra.pipeline import PlanOptions
    from orchestra.plan.model import Plan
    from orchestra.spec.model import Spec

PARALLEL: Final = 8
"""Databases at a time, unless somebody says otherwise. Each takes one connection, and a core while it is planned."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a run over many databases goes; None and False: nothing was said."""

    parallel: int | None = None
    canary: int | None = None
    fail_fast: bool = False

    def refuse_for_one(self) -> None:
        """UsageError where an option was given that means nothing for a single database."""
        for flag, given in (
            ("--parallel", self.parallel),
            ("--canary", self.canary),
            ("--fail-fast", self.fail_fast),
        ):
            if given:
                raise UsageError(
                    f"{flag} belongs to a run over several databases, and this is one",
                    "leave it out, or choose several environments: --env 'tenant-*'",
                )


@dataclass(frozen=True, slots=True)
class View:
    form: str
    show_sql: bool
    full: bool


class Run:
    """One run over many databases: its processes, its progress, and its end."""

    def __init__(self, command: str, project: str, places: Sequence[Place], pace: Pace) -> None:
        self._command = command
        self._project = project
        self._places = {place.name: place for place in places}
        self._pace = pace
        self._parallel = min(pace.parallel or PARALLEL, len(places))
        self._started = time.monotonic()
        self.interrupted = False
        names = list(self._places)
        ends = f"{names[0]} … {names[-1]}" if len(names) > 2 else ", ".join(names)
        console.note(f"Databases: {len(names):,}, {self._parallel} at a time: {ends}")

    def plan(self, spec: Spec, choices: Mapping[str, Any]) -> tuple[dict[str, Plan], tuple[Result, ...]]:
        """The plans that could be made, in order, and a result for every database."""
        from orchestra.cli.fleet_work import FleetWork, Job
        from orchestra.cli.planning import options

        jobs = {
            name: Job(
                name, place.url or "", options(_as_chosen(place), **choices, command=_approve(name, choices))
            )
            for name, place in self._places.items()
        }
        _refuse_flags(options(_as_chosen(next(iter(self._places.values()))), **choices))
        answers = self._work(FleetWork(spec), jobs, self._schedule(list(jobs), canary=0, fail_fast=False))
        plans = {name: a.plan for name, a in answers.items() if a.plan is not None}
        return plans, tuple(a.result for a in answers.values())

    def apply(
        self,
        plans: Mapping[str, Plan],
        planned: Sequence[Result],
        choices: Mapping[str, Any],
        lock_timeout: float | None,
    ) -> tuple[Result, ...]:
        """A result for every database; what is up to date or cannot be applied does not get a turn."""
        from orchestra.apply.run import refuse_blocked
        from orchestra.cli.fleet_work import FleetWork, Job, fault, where
        from orchestra.cli.planning import options
        from orchestra.errors import OrchestraError
        from orchestra.fleet.model import Outcome, Result

        known = {r.environment: r for r in planned if not r.outcome.went_well}
        commit, who = git.commit(Path.cwd()), actor.name()
        jobs: dict[str, Job] = {}
        for name, one in plans.items():
            place = self._places[name]
            chosen = options(_as_chosen(place), **choices)
            job = Job(name, place.url or "", chosen, one, lock_timeout, commit, who)
            try:
                refuse_blocked(one, chosen)
            except OrchestraError as error:
                known[name] = fault(job, error)
                continue
            if one.is_empty:
                known[name] = Result(name, Outcome.UNCHANGED, where(job.url))
            else:
                jobs[name] = job
        turns = [n for n in self._places if n in jobs or (n in known and not known[n].outcome.went_well)]
        schedule = self._schedule(turns, canary=self._pace.canary or 0, fail_fast=self._pace.fail_fast)
        if self.interrupted:
            schedule.stop("the run was interrupted before its turn")
        bad = [n for n in turns if n in known]
        if bad and self._pace.fail_fast:
            schedule.stop(f"{bad[0]} cannot be applied, and --fail-fast was given")
        answers = self._work(FleetWork(None), jobs, schedule, known)
        found = {name: answer.result for name, answer in answers.items()} | known
        return tuple(_undone(found[name]) for name in self._places)

    def confirmed(self, ready: Sequence[str]) -> bool:
        """Asks; the time that somebody takes to answer is not the run's."""
        from orchestra.report.words import count

        asked = time.monotonic()
        said = confirm.confirmed(
            f"Do you want to make these changes in {count(len(ready), 'database')}?",
            "Each gets exactly what is shown for it above, or nothing, whatever becomes of the others.",
        )
        self._started += time.monotonic() - asked
        return said

    def _schedule(self, names: Sequence[str], *, canary: int, fail_fast: bool) -> Schedule:
        from orchestra.fleet.schedule import Schedule

        return Schedule(names, parallel=max(self._parallel, 1), canary=canary, fail_fast=fail_fast)

    def _work(
        self,
        work: FleetWork,
        jobs: Mapping[str, Job],
        schedule: Schedule,
        known: Mapping[str, Result] | None = None,
    ) -> dict[str, Answer]:
        """One answer for each name of the schedule, in its order; a name without a job has its result already."""
        from orchestra.cli.crew import Crew
        from orchestra.cli.fleet_work import Answer, lost
        from orchestra.fleet.run import run

        _warm()
        plans: dict[str, Plan] = {}
        with Crew(work, lost, self._parallel) as crew:
            hands = _Hands(crew, jobs, known or {}, plans)
            telling = _Telling(frozenset(jobs))
            try:
                results = run(schedule, hands, telling)
            finally:
                telling.end()
            self.interrupted = self.interrupted or crew.interrupted
        by_name = {r.environment: r for r in results}
        order = [name for name in self._places if name in by_name]
        return {name: Answer(by_name[name], plans.get(name)) for name in order}

    def show(
        self,
        groups: Sequence[Group],
        results: Sequence[Result],
        view: View,
        *,
        detailed: bool,
        plans_too: bool = True,
    ) -> None:
        """The end: everything that is known, and the exit code."""
        from orchestra.fleet.model import Outcome, exit_code
        from orchestra.fleet.report import Report
        from orchestra.report import fleet_json, fleet_text
        from orchestra.version import __version__

        # As of one database: a plan that can be read was made, whatever would keep it from being applied.
        judged = [replace(r, outcome=Outcome.CHANGES) if _made(r) else r for r in results]
        judged = judged if self._command == "plan" else list(results)
        code = 130 if self.interrupted else exit_code(judged, detailed=detailed)
        took = time.monotonic() - self._started
        report = Report(
            self._command,
            self._project,
            __version__,
            tuple(results),
            tuple(groups),
            self._parallel,
            took,
            code,
        )
        if view.form == "json":
            console.out(fleet_json.dump(report), end="")
        else:
            if plans_too:
                show_plans(groups, view, stderr=False)
            console.out(fleet_text.table(report, console.style(sys.stdout)), end="")
        if code:
            raise click.exceptions.Exit(code)


class _Hands:
    """The processes as a schedule sees them; it begins a database by its name."""

    def __init__(
        self, crew: Any, jobs: Mapping[str, Job], known: Mapping[str, Result], plans: dict[str, Plan]
    ) -> None:
        from orchestra.fleet.share import Texts

        self._crew = crew
        self._jobs = jobs
        self._known = known
        self._plans = plans
        self._texts = Texts()
        self._at_once: list[Result] = []

    @property
    def interrupted(self) -> bool:
        return bool(self._crew.interrupted)

    def begin(self, name: str) -> None:
        if name in self._jobs:
            self._crew.begin(self._jobs[name])
        else:
            self._at_once.append(self._known[name])

    def wait(self) -> list[Result]:
        if self._at_once:
            ended, self._at_once = self._at_once, []
            return ended
        found = []
        for job, answer in self._crew.wait():
            if answer.plan is not None:
                self._plans[job.name] = self._texts.shared(answer.plan)
            found.append(answer.result)
        return found


class _Telling:
    """Progress on a terminal: a line of how far it is, and one that stays for each of `names` that did not go well."""

    def __init__(self, names: frozenset[str]) -> None:
        from orchestra.cli.progress import Progress

        self._progress = Progress()
        self._names = names
        self._done = 0
        self._bad = 0

    def __call__(self, schedule: Schedule, result: Result | None) -> None:
        if result is not None and result.environment in self._names:
            self._done += 1
            if not result.outcome.went_well:
                self._bad += 1
                self._say(result)
        running = schedule.running
        names = ", ".join(running[:3]) + (f" and {len(running) - 3} more" if len(running) > 3 else "")
        bad = f"{self._bad} not well; " if self._bad else ""
        self._progress(self._done, len(self._names), f"{bad}{names}")

    def _say(self, result: Result) -> None:
        if not console.is_terminal(sys.stderr):
            return
        from orchestra.report.cells import cut, visible

        style = console.style(sys.stderr)
        self._progress.end()
        line = visible(f"{result.environment} {result.outcome.value}: {result.error}", keep="")
        console.note(f"{style.paint('✗', 'bold', 'red')} {cut(line, style.width - 2)}")

    def end(self) -> None:
        self._progress.end()


def _as_chosen(place: Place) -> Chosen:
    where = f"--env {place.name}, from {place.variable}"
    return Chosen(
        place.url or "",
        where,
        place.name,
        place.protect,
        place.paused,
        approvals_required=place.approvals_required,
        meant=place.meant,
    )


def _approve(name: str, choices: Mapping[str, Any]) -> str:
    """What approves a plan of this database, and of every one to which the same happens."""
    from orchestra.cli.planning import approve_command

    return approve_command(choices["specs"], None, name, choices)


def _refuse_flags(said: PlanOptions) -> None:
    """UsageError where --allow or --adopt cannot be read, before any database is asked."""
    from orchestra.plan.model import Plan, Target
    from orchestra.plan.removal import Removals
    from orchestra.plan.said import with_unused

    with_unused(Plan("", Target("", "", "", "", ""), ""), said, Removals({}))


def _warm() -> None:
    """What every process needs is imported before there are any, so that they share it."""
    from orchestra import planning  # noqa: F401
    from orchestra.apply import run  # noqa: F401
    from orchestra.lower import lower  # noqa: F401
    from orchestra.report import plan_json  # noqa: F401


def _made(result: Result) -> bool:
    return bool(result.plan_hash) and not result.outcome.went_well


def _undone(result: Result) -> Result:
    """Where an apply did not go well, the numbers of its plan are not what was done."""
    return result if result.outcome.went_well else replace(result, add=0, change=0, destroy=0)


def show_plans(groups: Sequence[Group], view: View, *, stderr: bool) -> None:
    from orchestra.report import fleet_text

    stream, write = (sys.stderr, console.note) if stderr else (sys.stdout, console.out)
    text = fleet_text.plans(groups, console.style(stream), show_sql=view.show_sql, full=view.full)
    write(text, end="")
