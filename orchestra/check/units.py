"""Several specs taken together: which comes first, and what does not fit between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from orchestra.check.words import did_you_mean
from orchestra.diagnostics import Diagnostic, Label, Severity, Span
from orchestra.spec.codes import CodeDoc
from orchestra.spec.model import Requirement, Spec

PRIORITIES: Final = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Wait:
    """`project` comes after `other`, because of the word (`after`, `before` or `requires`) that stands at `span`."""

    project: str
    other: str
    word: str
    span: Span


def waits(specs: Sequence[Spec]) -> tuple[Wait, ...]:
    """Who waits for whom among these projects, and where it says so."""
    given = {spec.project for spec in specs}
    found: list[Wait] = []
    for spec in specs:
        name, order = spec.project, spec.composition
        for i, other in enumerate(order.after):
            found.append(Wait(name, other, "after", spec.at(f"composition.after.{i}")))
        for i, later in enumerate(order.before):
            found.append(Wait(later, name, "before", spec.at(f"composition.before.{i}")))
        for r in spec.requires:
            if r.project is not None:
                found.append(Wait(name, r.project, "requires", r.source.at("project")))
    return tuple(w for w in found if {w.project, w.other} <= given and w.project != w.other)


def ordered(specs: Sequence[Spec]) -> tuple[tuple[Spec, ...], tuple[Wait, ...]]:
    """Each after those that it waits for; else those of one stage together, by their priority, and as given. With a
    circle in it, the waits that make one, and then the order ends before it."""
    rest = {spec.project: spec for spec in specs}
    stages = list(dict.fromkeys(spec.composition.stage for spec in specs))
    position = {spec.project: i for i, spec in enumerate(specs)}
    all_waits = waits(specs)
    done: list[Spec] = []

    def early(spec: Spec) -> tuple[int, int, int]:
        place = spec.composition
        stage = stages.index(place.stage) if place.stage else position[spec.project]
        rank = PRIORITIES.index(place.priority) if place.priority else len(PRIORITIES) - 2
        return (stage, rank if place.stage else 0, position[spec.project])

    while rest:
        ready = [s for n, s in rest.items() if not any(w.project == n and w.other in rest for w in all_waits)]
        if not ready:
            return tuple(done), _circle([w for w in all_waits if {w.project, w.other} <= rest.keys()])
        first = min(ready, key=early)
        done.append(rest.pop(first.project))
    return tuple(done), ()


def _circle(among: Sequence[Wait]) -> tuple[Wait, ...]:
    """One circle of them, each wait with the next; everybody waits for somebody here."""
    name = min(w.project for w in among)
    walked: list[Wait] = []
    while name not in [w.project for w in walked]:
        walked.append(min((w for w in among if w.project == name), key=lambda w: (w.other, w.span)))
        name = walked[-1].other
    return tuple(walked[[w.project for w in walked].index(name) :])


def check_units(specs: Sequence[Spec]) -> tuple[Diagnostic, ...]:
    """What is wrong between specs that are given together; of one alone nothing."""
    _, circle = ordered(specs)
    return (*_waiting(circle), *_not_there(specs))


def _waiting(circle: Sequence[Wait]) -> Iterator[Diagnostic]:
    if not circle:
        return
    first, *others = circle
    round_ = " after ".join([w.project for w in circle] + [circle[0].project])
    yield Diagnostic(
        "E222",
        Severity.ERROR,
        f"the projects wait for each other: {round_}",
        first.span,
        _CIRCLE.why,
        "Take one of these words out of a spec's `composition` or `requires`.",
        tuple(Label(w.span, f"{w.project} waits for {w.other}") for w in others),
    )


def _not_there(specs: Sequence[Spec]) -> Iterator[Diagnostic]:
    by_name = {spec.project: spec for spec in specs}
    for spec in specs:
        for r in spec.requires:
            other = by_name.get(r.project or "")
            if other is None or other is spec or other.broken:
                continue
            lacking = _lacking(r, other)
            if lacking is not None:
                kind, name, names = lacking
                yield Diagnostic(
                    "E223",
                    Severity.ERROR,
                    f"project `{other.project}` has no {kind} `{name}`",
                    r.source.at(kind),
                    _LACKING.why,
                    did_you_mean(name, names, f"Declare it in `{other.project}`, or mend the name here."),
                    (Label(other.at("project"), "this is the project"),),
                )


def _lacking(r: Requirement, other: Spec) -> tuple[str, str, set[str]] | None:
    workloads = {w.name for w in other.workloads}
    queues = {w.queue.name for w in other.workloads}
    if r.workload is not None and r.workload not in workloads:
        return "workload", r.workload, workloads
    if r.queue is not None and r.queue not in queues:
        return "queue", r.queue, queues
    return None


_CIRCLE: Final = CodeDoc(
    "E222",
    "Projects that are given together wait for each other",
    "They are applied one after the other, each once that for which it waits is there; with a circle none of them "
    "could ever be the first.",
    """\
version: 1
project: shop
composition: {after: [billing]}
---
version: 1
project: billing
composition: {after: [shop]}
""",
    """\
version: 1
project: shop
composition: {after: [billing]}
---
version: 1
project: billing
""",
)
_LACKING: Final = CodeDoc(
    "E223",
    "A project requires what the other project, given with it, does not have",
    "The requirement is proved before anything changes, and with these two specs it could never hold.",
    """\
version: 1
project: shop
requires: [{project: billing, workload: chrage}]
---
version: 1
project: billing
workloads:
  charge: {trigger: manual, duration: {max: 5s}}
""",
    """\
version: 1
project: shop
requires: [{project: billing, workload: charge}]
---
version: 1
project: billing
workloads:
  charge: {trigger: manual, duration: {max: 5s}}
""",
)
UNIT_CODES: Final = (_CIRCLE, _LACKING)
"""The codes of what is wrong between specs; in their examples `---` parts two files."""
