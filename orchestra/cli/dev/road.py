"""The road of one save: check, plan, apply, compile. What fails is said, and what was applied before goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import actor, git, planning, specs, units
from orchestra.cli.database import Chosen
from orchestra.cli.dev.diary import Diary
from orchestra.cli.dev.place import Place
from orchestra.cli.output import Output
from orchestra.errors import OrchestraError

if TYPE_CHECKING:
    from orchestra.cli.specs import Reading
    from orchestra.plan.model import Blocker, Condition, Hazard, Plan
    from orchestra.spec.model import Spec


class Road:
    """`before_apply` is called with the specs once they are known to be sound."""

    def __init__(
        self, place: Place, chosen: Chosen, diary: Diary, before_apply: Callable[[Sequence[Spec]], None]
    ) -> None:
        self._place = place
        self._chosen = chosen
        self._diary = diary
        self._before_apply = before_apply
        self._said: set[Any] = set()
        self._warnings = 0
        self.sources: frozenset[Path] = frozenset()
        self.deployments: set[int] = set()
        self.pending: tuple[str, ...] = ()
        """What would approve the plan that waits for somebody's yes, flag by flag."""

    def read(self) -> tuple[Reading, ...]:
        """Load and check; remembers which files it was."""
        readings = specs.read_all(self._place.specs)
        self.sources = frozenset(Path(name).absolute() for r in readings for name in r.sources)
        return readings

    def go(self, readings: Sequence[Reading] = (), allow: Sequence[str] = ()) -> bool:
        """Whether the database is now as the spec says. `allow` are the flags of `pending` that were said yes to."""
        self.pending = ()
        try:
            found = self._sound(readings or self.read())
            if found is None:
                return False
            self._before_apply([unit.spec for unit in found])
            outcomes = [self._bring(unit.spec, allow) for unit in found]
            return all(outcomes)
        except OrchestraError as error:
            self._diary.fail(error)
            self._diary.say("What was applied before goes on as it is.", "dim")
            return False

    def _sound(self, readings: Sequence[Reading]) -> tuple[units.Unit, ...] | None:
        found = [d for reading in readings for d in reading.findings]
        if any(reading.has_errors for reading in readings):
            from orchestra.report import text

            sources = {name: source for r in readings for name, source in r.sources.items()}
            errors = [d for d in found if d.is_error]
            self._diary.block(f"\n{text.render(errors, sources, self._diary.style())}\n")
            self._diary.say(
                "The spec has errors, so nothing was changed: what was applied goes on.", "bold red"
            )
            return None
        if found and len(found) != self._warnings:
            from orchestra.report.words import count

            shown = "it" if len(found) == 1 else "them"
            self._diary.say(f"{count(len(found), 'warning')}; orchestra check shows {shown}", "yellow")
        self._warnings = len(found)
        sound = [units.Unit(r.paths, r.spec) for r in readings if r.spec is not None]
        return units.in_order(sound)

    def _bring(self, spec: Spec, allow: Sequence[str]) -> bool:
        from orchestra import pipeline

        self._diary.expect([w.name for w in spec.workloads])
        began = time.monotonic()
        # Deleting what can be made again needs no word here; losing messages does, and is asked for.
        flags = [flag.removeprefix("--allow ") for flag in allow]
        wanted = planning.options(self._chosen, allow_destroy=True, allow=flags)
        with planning.connected(self._chosen) as connection:
            plan = pipeline.plan(connection, spec, wanted)
            if plan.blockers:
                return self._blocked(plan)
            if plan.changes:
                self._show(plan)
                applied = pipeline.apply(
                    connection,
                    plan,
                    wanted,
                    lock_timeout_s=10,
                    git_commit=git.commit(self._place.home),
                    actor=actor.name(),
                )
                self.deployments |= set(applied.deployment_ids)
        self._compile(spec)
        self._closing(plan, time.monotonic() - began)
        return True

    def _show(self, plan: Plan) -> None:
        from orchestra.report import plan_short

        self._diary.say(plan.summary)
        self._diary.below(lambda style: plan_short.render(plan, style))

    def _closing(self, plan: Plan, seconds: float) -> None:
        took = f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
        if plan.changes:
            self._diary.say(f"Applied in {took}.", "bold green")
        else:
            self._diary.say("No changes: the database is as the spec says.", "green")
        for condition in plan.conditions:
            self._mention(condition)

    def _mention(self, condition: Condition) -> None:
        """Once each. Whether a function has announced itself is of no interest where it is served from this folder."""
        if condition.address.kind == "edge_function" or condition in self._said:
            return
        self._said.add(condition)
        name = str(condition.address)
        text = condition.message if name in condition.message else f"{name}: {condition.message}"
        self._diary.say(f"{text}. {condition.remedy}".strip() if condition.remedy else text, "yellow")

    def _blocked(self, plan: Plan) -> bool:
        """Says what stands in the way. Where that is only that something would be lost, it can be said yes to."""
        waiting = [h for c in plan.changes for h in c.hazards if h.needs_approval and not h.approved]
        others = [b for b in plan.blockers if not _is_of(b, waiting)]
        self._show(plan)
        for blocker in others:
            self._diary.say(f"{blocker.address}: {blocker.message}", "bold red")
            if blocker.remedy:
                self._diary.say(f"  {blocker.remedy}", "green")
        for hazard in waiting:
            self._diary.say(hazard.message, "bold yellow")
        if not others and waiting:
            self.pending = tuple(hazard.approval for hazard in waiting)
        self._diary.say("Nothing was changed: what was applied goes on.", "bold red")
        return False

    def _compile(self, spec: Spec) -> None:
        """The functions alone. Nothing is written for a project that has none."""
        from orchestra import pipeline
        from orchestra.emit.functions.reconcile import HANDLER

        if not pipeline.emit_functions(spec) and not self._place.functions.is_dir():
            return
        try:
            written, gone = Output(self._place.supabase, spec, None).bring(force=False)
        except click.exceptions.Exit:
            return
        shown = specs.relative(self._place.supabase)
        wrote, removed = (sorted({"/".join(p.split("/")[:2]) for p in paths}) for paths in (written, gone))
        for verb, names in (("wrote", wrote), ("removed", removed)):
            if names:
                self._diary.say(f"{verb} {', '.join(f'{shown}/{name}' for name in names)}", "dim")
        for name in removed:
            if (self._place.supabase / name / HANDLER).exists():
                self._diary.say(f"{shown}/{name}/{HANDLER} is yours, and stays; nothing calls it", "yellow")


def _is_of(blocker: Blocker, hazards: Sequence[Hazard]) -> bool:
    """Whether it says of one of these hazards that nobody has approved it."""
    return (blocker.code, blocker.message) in {(hazard.code, hazard.message) for hazard in hazards}
