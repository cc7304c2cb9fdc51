"""Specs for the tests of rules."""

from __future__ import annotations

from orchestra.check import check, docs
from orchestra.diagnostics import Diagnostic
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec

INCLUDES = dict(docs.INCLUDES)


def spec(text: str, file: str = "orchestra.yaml") -> Spec:
    """The spec in a text that the loader finds nothing wrong with."""
    result = parse_spec(text, file, INCLUDES)
    assert result.spec is not None
    assert not result.diagnostics, result.diagnostics
    return result.spec


def found(text: str) -> list[Diagnostic]:
    return list(check(spec(text)))


def codes(text: str) -> list[str]:
    return [d.code for d in found(text)]


def workload(body: str, name: str = "work", top: str = "") -> str:
    """A spec with one workload, of lines without indentation."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return f"version: 1\nproject: shop\n{top}workloads:\n  {name}:\n{lines}"
