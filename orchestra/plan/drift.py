"""What is other in the database than the last apply left it, whatever the spec says by now. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orchestra.ir.program import Program, Resource
from orchestra.kinds import BY_NAME, runtime
from orchestra.live.model import Live
from orchestra.plan.compare import Draft, compare
from orchestra.plan.model import Action, Change, Condition, FieldChange
from orchestra.plan.options import PlanOptions


def recorded(project: str, live: Live) -> Program:
    """What the last applies recorded of a project, as if it were a spec."""
    return Program.of(project, _recorded(live))


def _recorded(live: Live) -> Iterator[Resource]:
    for entry in live.entries.values():
        if not entry.tombstoned:
            yield BY_NAME[entry.address.kind].resource.of(entry.address.name, entry.applied)
    found = live.find("runtime", "orchestra")
    (mine,) = runtime.lower()
    if found is not None and found.values.get("version") == mine.version:
        yield mine  # of another version it is an upgrade that is to come, and no drift


def drift(project: str, live: Live) -> tuple[tuple[Change, ...], tuple[Condition, ...]]:
    """Spec drift as changes, each from what was applied to what is there now; what operators turned as conditions."""
    drafts, conditions = compare(recorded(project, live), live, PlanOptions())
    return tuple(_change(d) for d in drafts if not _only_record(d)), tuple(conditions)


def _only_record(draft: Draft) -> bool:
    """Whether there is nothing but an acceptance that is over: the next apply tidies it up."""
    return {f.path for f in draft.fields} == {"accepted"}


def _change(draft: Draft) -> Change:
    gone = draft.action is Action.CREATE
    return Change(
        draft.address,
        Action.DELETE if gone else Action.UPDATE,
        draft.category,
        ("dropped outside orchestra",) if gone else ("changed outside orchestra since the last apply",),
        tuple(replace(f, before=f.after, after=f.before) for f in draft.fields if _is_field(f)),
        before=draft.before,
        drift=True,
    )


def _is_field(change: FieldChange) -> bool:
    return change.path != "accepted"
