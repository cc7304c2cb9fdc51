"""Golden cases: a spec, and what `orchestra explain` says of it as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from orchestra.classify import Classification, classify
from orchestra.report.explain import render_json, render_text
from orchestra.report.style import Style
from orchestra.spec import parse_spec

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
SCHEMA = json.loads(
    (Path(__file__).parents[2] / "schemas" / "explain.v1.schema.json").read_text(encoding="utf-8")
)


def explained(case: Path) -> list[Classification]:
    result = parse_spec(case.read_text(encoding="utf-8"), case.name)
    assert result.spec is not None
    assert result.ok, result.diagnostics
    return [classify(w, result.spec.platform) for w in result.spec.workloads]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.stem)
def test_what_explain_says(case, golden):
    golden(case.with_suffix(".txt"), render_text(explained(case), Style(width=100)))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.stem)
def test_what_explain_says_as_json(case, golden):
    text = render_json(explained(case))
    jsonschema.validate(json.loads(text), SCHEMA)
    golden(case.with_suffix(".json"), text)


def test_nothing_to_explain_is_empty():
    assert render_text([]) == ""


def test_colour_is_written_only_when_asked_for():
    items = explained(CASES[0])
    assert "\x1b" not in render_text(items)
    assert "\x1b[1m" in render_text(items, Style(colour=True))


def test_no_line_is_wider_than_the_terminal():
    for case in CASES:
        assert max(len(line) for line in render_text(explained(case), Style(width=80)).splitlines()) <= 80
