"""Every rule: its bad example yields it and nothing else, where it says so; its good example yields nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from check.specs import found

from orchestra.check import RULES, Rule
from orchestra.diagnostics import Diagnostic, Severity

GOLDEN = Path(__file__).parent / "golden"
BESIDE = {"E204": {"W201"}, "W312": {"W311"}}
"""What a bad example cannot help to show as well."""

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


@each_rule
def test_the_bad_example_breaks_the_rule_and_nothing_else(rule: Rule) -> None:
    codes = {d.code for d in found(rule.bad)}
    assert rule.code in codes
    assert codes - {rule.code} <= BESIDE.get(rule.code, set())


@each_rule
def test_the_finding_is_where_the_example_says(rule: Rule) -> None:
    mark = f"<-- {rule.code}"
    lines = enumerate(rule.bad.splitlines(), 1)
    marked = {n + line.endswith("on the next line") for n, line in lines if mark in line}
    assert {d.span.line for d in found(rule.bad) if d.code == rule.code} == marked


@each_rule
def test_the_good_example_is_clean(rule: Rule) -> None:
    assert found(rule.good) == []


@each_rule
def test_the_words(rule: Rule, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / f"{rule.code}.txt", "\n".join(_shown(d) for d in found(rule.bad) if d.code == rule.code))


def _shown(d: Diagnostic) -> str:
    labels = "".join(f"  label {label.span}: {label.message}\n" for label in d.labels)
    return f"{d.severity}[{d.code}] {d.span}: {d.message}\n  why: {d.why}\n  help: {d.help}\n{labels}"


@each_rule
def test_every_finding_says_what_why_and_how(rule: Rule) -> None:
    for d in found(rule.bad):
        assert d.message
        assert not d.message.endswith(".")
        assert re.search(r"[.)]$", d.why), d.why
        assert re.search(r"[.?)]`?$", d.help), d.help


@each_rule
def test_severity_follows_the_code(rule: Rule) -> None:
    assert (rule.severity is Severity.ERROR) is rule.code.startswith("E")


def test_codes_are_unique_and_the_files_are_named_after_them() -> None:
    codes = [rule.code for rule in RULES]
    assert len(codes) == len(set(codes))
    folder = Path(__file__).parents[2] / "orchestra" / "check" / "rules"
    assert sorted(p.name[:4] for p in folder.glob("[EW]*.py")) == sorted(codes)
