"""The difference of two specs, with no database: what a plan would do to one that is in step with the first of them.

The first Program is dressed up as the live state that it leads to, and goes the way of every plan from there, so that
actions, reasons, categories and hazards are the same by construction. What only a database knows is left open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from orchestra.ir.program import Address, Json, Program, Resource
from orchestra.kinds.edge_function import EdgeFunction
from orchestra.kinds.requirement import Requirement, describe
from orchestra.kinds.secret import Secret
from orchestra.live.model import Live
from orchestra.plan.approvals import granted
from orchestra.plan.blockers import of_specs
from orchestra.plan.compare import Draft, compare
from orchestra.plan.hazards import hazards
from orchestra.plan.in_step import in_step
from orchestra.plan.load import LoadReport
from orchestra.plan.model import Action, Change, Condition, Difference
from orchestra.plan.moves import renamed
from orchestra.plan.options import PlanOptions
from orchestra.plan.removal import DRAIN, decide
from orchestra.plan.transition import transition


def diff(before: Program, after: Program) -> tuple[Change, ...]:
    """The changes alone, in the order of a plan."""
    return difference(before, after, PlanOptions(environment="")).changes


def difference(
    before: Program,
    after: Program,
    options: PlanOptions,
    *,
    base: str = "",
    load: LoadReport | None = None,
    today: date | None = None,
) -> Difference:
    """What leads from one to the other, judged as a plan would judge it. `today` is what approvals end by."""
    apart = before.project not in (after.project, after.former)
    stood = in_step(before.project, before, _as_read)
    live = _of_another(stood) if apart else stood
    former = after.former if before.project == after.former != after.project else None
    live, moves = renamed(after, live, former)
    removals = decide(after, live, {}, options)
    drafts, _ = compare(after, live, options, moves, removals)
    key = transition(after.project, drafts)
    mine = granted(options.approvals, after.project, key, today)
    changes = tuple(
        Change(
            d.address,
            d.action,
            d.category,
            d.reasons,
            d.fields,
            hazards(d, None, options, mine),
            moved_from=d.moved_from,
        )
        for d in drafts
    )
    return Difference(
        after.project,
        base,
        changes,
        (
            *(_another(before, after) if apart and len(before) else ()),
            *_draining(drafts),
            *_conditions(before, after),
        ),
        tuple(of_specs(after, drafts, live, moves)),
        load,
        key,
    )


def _of_another(live: Live) -> Live:
    """The same as a project of another name sees it: nothing is its own, and names that are taken stay so."""
    others = {(a.kind, e.name): e for a, e in live.entries.items() if a.kind != "workload"}
    objects = {key: found for key, found in live.objects.items() if key[0] != "workload"}
    return Live(live.server, {}, others, objects)


def _another(before: Program, after: Program) -> Iterator[Condition]:
    yield Condition(
        "another_project",
        Address("project", after.project),
        f"the base is of project {before.project}; what that has stays as it is, and this is a new project beside it",
        f"where it is a new name for the same project, say so: moved: {{from: {before.project}}}",
    )


def _as_read(resource: Resource) -> dict[str, Json]:
    """The values that would be read back: the registry says of every workload whether it is protected."""
    values = resource.values()
    if resource.kind == "workload" and values.get("protect") is None:
        values["protect"] = False
    return values


def _draining(drafts: Iterable[Draft]) -> Iterator[Condition]:
    for draft in drafts:
        if draft.address.kind == "queue" and draft.action is Action.DELETE and draft.removal == DRAIN:
            yield Condition(
                "draining",
                draft.address,
                f"where messages wait in {draft.live.name if draft.live else draft.address.name}, its workload takes "
                "nothing new and goes in a later apply, when they are worked off",
            )


def _conditions(before: Program, after: Program) -> Iterator[Condition]:
    """What a change of the spec asks for that no apply brings about."""
    for resource in after:
        old = before.get(resource.address)
        if old == resource:
            continue
        match resource:
            case EdgeFunction():
                yield Condition(
                    "not_deployed",
                    resource.address,
                    f"the Edge Function {resource.key} "
                    + ("is new" if old is None else "gets another contract")
                    + ", so it has to be deployed after the apply",
                    f"orchestra compile --out supabase && supabase functions deploy {resource.key}",
                )
            case Secret():
                yield Condition(
                    "missing_secret",
                    resource.address,
                    f"Vault has to hold a secret named {resource.vault}, which was not asked for before",
                )
            case Requirement():
                yield Condition(
                    "requirement",
                    resource.address,
                    f"a new requirement, proved before anything changes: {describe(resource)}",
                )
            case _:
                pass
