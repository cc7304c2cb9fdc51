"""The spec, as far as doctor needs to know that it is sound."""

from __future__ import annotations

from collections.abc import Sequence

from orchestra.diagnostics import Diagnostic
from orchestra.doctor.model import Check, Group, State
from orchestra.report.words import count
from orchestra.spec.model import Spec

_GROUP = Group.SPEC


def checked(files: str, spec: Spec | None, findings: Sequence[Diagnostic]) -> Check:
    """`files` is what was read, as it was named."""
    errors = sum(d.is_error for d in findings)
    name = f"project {spec.project}" if spec is not None else files
    if spec is None or errors:
        return Check(
            _GROUP, "spec", State.FAILED, f"{name} has {count(errors, 'error')}", f"orchestra check {files}"
        )
    warnings = f", {count(len(findings), 'warning')}" if findings else ""
    said = f"{name}, {count(len(spec.workloads), 'workload')}{warnings}"
    return Check(_GROUP, "spec", State.OK, said)


def none_found(message: str) -> Check:
    return Check(
        _GROUP,
        "spec",
        State.UNKNOWN,
        f"{message}, so the database alone is looked at",
        "go to its directory, or name it: orchestra doctor SPEC",
    )
