"""What the parts of several specs, and the words about other projects, have to say of each other."""

from __future__ import annotations

import pytest

from orchestra.check import check
from orchestra.spec import parse_spec

HEAD = "version: 1\nproject: shop\n"
REF = "abcdefghijklmnopqrst"


def of(text: str) -> list[str]:
    """What loading finds, and, where there is a spec, what the rules do."""
    read = parse_spec(text)
    return [d.code for d in (*read.diagnostics, *(check(read.spec) if read.spec else ()))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"environments: {{a: {{database: {{env: A}}, project_ref: {REF}}}}}", []),
        (
            f"environments: {{a: {{database: {{env: A}}, project_ref: {REF}}}, "
            f"b: {{database: {{env: B}}, project_ref: {REF}}}}}",
            ["E221"],
        ),
        (
            "platform: {provider: postgres}\n"
            f"environments: {{a: {{database: {{env: A}}, project_ref: {REF}}}}}",
            ["E221"],
        ),
        (f"environments: {{a: {{databases: {{env: A}}, project_ref: {REF}}}}}", ["E127"]),
        ("environments: {a: {database: {env: A}, project_ref: ABCDEFGHIJKLMNOPQRST}}", ["E125"]),
        ("requires: [{project: billing}]", []),
        ("requires: [{project: billing, workload: charge, queue: charge}]", ["E127"]),
        ("requires: [{workload: charge}]", ["E121", "E121"]),
        ("requires: [{project: billing, extension: pgmq}]", ["E127"]),
        ("requires: [{project: shop}]", ["E220"]),
        ("requires: [{project: billing}, {name: billing, check: {relation: a.b}}]", ["E217"]),
        ("requires: [{project: billing}]\ncomposition: {after: [billing]}", []),
    ],
)
def test_words_about_other_projects(text: str, expected: list[str]) -> None:
    assert of(HEAD + text + "\n") == expected
