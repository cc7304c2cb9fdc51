"""In which order projects that are given together are applied, and what each of them waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestra.check.units import ordered, waits
from orchestra.doctor.model import Turn
from orchestra.spec.model import Spec


def turns(specs: Sequence[Spec], there: frozenset[str] | None) -> tuple[Turn, ...]:
    """`there` are the projects of the database, None where it could not be asked. Specs in a circle have no turn."""
    order, _ = ordered(specs)
    given = {spec.project for spec in specs}
    among = waits(specs)
    return tuple(
        Turn(
            spec.project,
            spec.composition.stage,
            spec.composition.priority,
            tuple(
                dict.fromkeys(
                    [
                        *(f"{w.other} ({w.word}: {w.span})" for w in among if w.project == spec.project),
                        *_others(spec, given, there),
                    ]
                )
            ),
        )
        for spec in order
    )


def _others(spec: Spec, given: set[str], there: frozenset[str] | None) -> Iterator[str]:
    """What is not among the specs that were given: checks, and projects of the database."""
    named = {r.name for r in spec.requires}
    for name in spec.composition.after:
        if name in named:
            yield f"the check {name}"
        elif name not in given:
            yield f"{name} ({_where(name, there)})"
    for r in spec.requires:
        if r.project is not None and r.project not in given:
            what = next((f"{k} {v} of " for k, v in (("workload", r.workload), ("queue", r.queue)) if v), "")
            yield f"{what}{r.project} ({_where(r.project, there)})"


def _where(name: str, there: frozenset[str] | None) -> str:
    if there is None:
        return "the database could not be asked"
    return "in this database" if name in there else "not in this database"
