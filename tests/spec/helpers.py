"""Small specs for tests."""

from __future__ import annotations

from orchestra.diagnostics import Diagnostic
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec, Workload

TOP = "version: 1\nproject: shop\n"


def spec_of(text: str, **includes: str) -> Spec:
    """The spec in a text that has no findings."""
    result = parse_spec(text)
    assert result.diagnostics == ()
    assert result.spec is not None
    return result.spec


def workload(lines: str, top: str = TOP) -> Workload:
    """The one workload `work` with these lines."""
    body = "".join(f"    {line}\n" for line in lines.strip().splitlines())
    return spec_of(f"{top}workloads:\n  work:\n{body}").workloads[0]


def findings(text: str, file: str = "orchestra.yaml", **kwargs: dict[str, str]) -> tuple[Diagnostic, ...]:
    return parse_spec(text, file, **kwargs).diagnostics


def in_workload(lines: str) -> str:
    """A spec whose workload `work` is sound but for these lines."""
    body = "".join(f"    {line}\n" for line in lines.strip().splitlines())
    return f"{TOP}workloads:\n  work:\n    trigger: manual\n    duration: {{max: 5s}}\n{body}"


def the(text: str) -> Diagnostic:
    """The only finding in a text."""
    found = findings(text)
    assert len(found) == 1, [f"{d.code} {d.span} {d.message}" for d in found]
    return found[0]
