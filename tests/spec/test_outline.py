"""The names that a spec declares, off its lines: the same as a whole reading gives, or an admission."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from orchestra.spec.outline import cut, names

ROOT = Path(__file__).parents[2]
SPECS = sorted(p for p in ROOT.glob("examples/**/*.yaml") if "workloads:" in p.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SPECS, ids=lambda p: str(p.relative_to(ROOT)))
@pytest.mark.parametrize("section", ["workloads", "environments"])
def test_they_are_those_of_the_whole_reading(path: Path, section: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert names(text, section) == list(yaml.safe_load(text).get(section) or {})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("workloads:\n  one:\n    run: x\n  # two:\n  three: {}\nother:\n  four: {}\n", ["one", "three"]),
        (
            "workloads: # all\n    'one':\n        run:\n            deep: 1\n    \"two\" : {}\n",
            ["one", "two"],
        ),
        ("\ufeffworkloads:\r\n  one: {}\r\n  two: {}\r\n", ["one", "two"]),
        ("workloads:\n  one:\n    sql: |\n      workloads:\n        two: {}\n", ["one"]),
        ("workloads:\n\n  one: {}\n\n# a note\n  two: {}\n", ["one", "two"]),
        ("workloads:\n  one:\n    run: [broken\n  tw", ["one"]),
        ("workloads:\n  $(touch x): {}\n  `y`: {}\n  Upper: {}\n  a b: {}\n  one: {}\n", ["one"]),
        ("project: x\n", []),
    ],
)
def test_lines(text: str, found: list[str]) -> None:
    assert names(text, "workloads") == found


@pytest.mark.parametrize(
    "text",
    [
        "workloads: {one: {}}\n",
        '{"workloads": {"one": {}}}\n',
        "workloads: &all\n  one: {}\n",
        "workloads:\n  <<: *all\n  one: {}\n",
        "workloads:\n  ? one\n  : {}\n",
        "workloads:\n",
        "%YAML 1.2\n---\nworkloads:\n  one: {}\n",
    ],
)
def test_what_lines_cannot_tell_is_none(text: str) -> None:
    assert names(text, "workloads") is None


def test_a_section_ends_where_the_next_begins() -> None:
    text = "a: 1\nenvironments:\n  one: {}\n# still\n  two: {}\nworkloads:\n  three: {}\n"
    assert cut(text, "environments") == "environments:\n  one: {}\n# still\n  two: {}\n"
