"""A plan that goes back to a deployment, in words that fit: it was made by the means of every plan, which speak of a
spec. What going back does not bring back is said as well."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from orchestra.history.given_up import given_up
from orchestra.history.model import Deployment
from orchestra.history.state import State
from orchestra.ir.program import Address, Program
from orchestra.kinds.edge_function import EdgeFunction
from orchestra.kinds.workload import Workload
from orchestra.live.ledger_rows import AdoptedRow
from orchestra.plan.model import Action, Change, Condition, Hazard, Plan
from orchestra.version import __version__

_NAMED: Final = 5
_AHEAD: Final = "spec_ahead"


def as_rollback(
    plan: Plan,
    program: Program,
    now: State,
    adopted: Iterable[AdoptedRow],
    deployment: Deployment,
    workload: str | None,
) -> Plan:
    """`program` is what the deployment left behind, `now` what is recorded at present, and `adopted` what was taken
    over since. With `workload` only that one goes back."""
    plan = given_up(plan, adopted, deployment.number)
    conditions = [_condition(c, deployment.number) for c in plan.conditions if c.code != "not_deployed"]
    if plan.changes:
        where = ("workload", workload) if workload else ("deployment", str(deployment.number))
        conditions += _conditions(plan, program, now, deployment, Address(*where))
    return replace(
        plan,
        changes=tuple(_change(c, deployment.number) for c in plan.changes),
        conditions=tuple(conditions),
    )


def back_to(plan: Plan) -> int | None:
    """The deployment to which a whole project goes back by a plan, also where it was saved and read again."""
    where = (c.address for c in plan.conditions if c.code == _AHEAD and c.address.kind == "deployment")
    return next((int(a.name) for a in where if a.name.isdecimal()), None)


def _change(change: Change, number: int) -> Change:
    hazards = change.hazards
    if change.address.kind == "queue" and change.action in (Action.CREATE, Action.REPLACE):
        hazards = (*hazards, Hazard("empty", "the messages that it had do not come back with it"))
    return replace(change, reasons=tuple(_reason(r, number) for r in change.reasons), hazards=hazards)


def _condition(condition: Condition, number: int) -> Condition:
    """What `orchestra apply` would do to it, this very command does as well."""
    remedy = condition.remedy.replace("orchestra apply --revert", f"orchestra rollback {number} --revert")
    return replace(condition, remedy=remedy)


_REASONS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], int], str]], ...]] = (
    (
        re.compile("^the database has it already as the spec says; (.*)$"),
        lambda m, n: f"it is as after deployment {n}; {m[1]}",
    ),
    (re.compile("^new in the spec$"), lambda m, n: f"it was there after deployment {n}"),
    (re.compile("^no longer in the spec(.*)$"), lambda m, n: f"it was not there after deployment {n}{m[1]}"),
    (re.compile("^the spec changed (.*)$"), lambda m, n: f"changed since deployment {n}: {m[1]}"),
    (
        re.compile("^changed both in the spec and outside orchestra: (.*)$"),
        lambda m, n: f"changed since deployment {n}, and outside orchestra as well: {m[1]}",
    ),
)


def _reason(reason: str, number: int) -> str:
    for pattern, said in _REASONS:
        if (found := pattern.match(reason)) is not None:
            return said(found, number)
    return reason


def _conditions(
    plan: Plan, program: Program, now: State, deployment: Deployment, where: Address
) -> Iterator[Condition]:
    project = Address("project", plan.project)
    number, commit = deployment.number, (deployment.last.git_commit or "")[:12]
    yield Condition(
        _AHEAD,
        where,
        "the spec in the repository is not rolled back: its next plan shows these changes again, the other way round",
        f"revert them there as well{f' (deployment {number} was commit {commit})' if commit else ''}",
    )
    yield from _functions(plan, program, now, number, commit)
    for resource in program:
        if isinstance(resource, Workload) and not resource.protect:
            entry = now.get(str(resource.address))
            if entry is not None and entry.get("protect") is True:
                yield Condition(
                    "protect_kept",
                    resource.address,
                    "it was not protected then and is now; a rollback lifts no protection",
                    "apply a spec with protect: false to lift it",
                )
    tools = {t.row.tool_version for t in deployment.transactions} - {__version__, None}
    if tools:
        yield Condition(
            "other_version",
            project,
            f"deployment {number} was made by orchestra {', '.join(sorted(map(str, tools)))}, and this is "
            f"{__version__}: settings that came since have their defaults, and the runtime stays as it is",
        )


def _functions(plan: Plan, program: Program, now: State, number: int, commit: str) -> Iterator[Condition]:
    deploy = "orchestra compile --out supabase && supabase functions deploy"
    checkout = f"git checkout {commit} && {deploy}" if commit else f"check out that spec, then: {deploy}"
    wanted = {r.key: r.contract for r in program if isinstance(r, EdgeFunction)}
    others = dict(wanted)
    for name, contract in wanted.items():
        present = now.get(f"workload.{name}", {}).get("contract")
        if _touches(plan, name) and present != contract:
            del others[name]
            yield Condition(
                "function_contract",
                Address("edge_function", name),
                f"its code is not rolled back: after deployment {number} it has contract {contract}, "
                + (f"at present it has {present}" if present else "at present there is none"),
                f"{checkout} {name}",
            )
    if others:
        yield Condition(
            "functions_kept",
            Address("project", plan.project),
            f"the code of Edge Functions is not rolled back, their contract is the same ({_some(sorted(others))})",
            checkout,
        )
    left = sorted(
        name
        for address, entry in now.items()
        if address.startswith("workload.") and entry.get("contract")
        if (name := address.removeprefix("workload.")) not in wanted and _touches(plan, name)
    )
    if left:
        yield Condition(
            "functions_left",
            Address("project", plan.project),
            f"Edge Functions of what goes stay deployed ({_some(left)})",
            f"supabase functions delete {left[0]}" + (" …" if len(left) > 1 else ""),
        )


def _touches(plan: Plan, workload: str) -> bool:
    return any(c.address == ("workload", workload) for c in plan.changes)


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
