"""Faults of YAML as such are findings with a place, in our words."""

from __future__ import annotations

import pytest

from spec.helpers import TOP, findings, spec_of, the

CASES = [
    ("version: 1\nproject: a: b\n", "E105", (2, 11), "`:` is not expected"),
    ("version: 1\nproject: {a: 1\n", "E105", (2, 15), "`{` that is not closed"),
    ("version: 1\nproject: 'shop\n", "E105", (2, 15), "quote that is not closed"),
    ('version: 1\nproject: "a\\qb"\n', "E105", (2, 12), "unknown escape"),
    ("version: 1\n  project: shop\n", "E105", (2, 10), "`:` is not expected"),
    ("version: *a\n", "E105", (1, 10), "alias without its anchor"),
    ("version: *\n", "E105", (1, 11), "without a name"),
    ("version: &a 1\nproject: &a x\n", "E105", (2, 10), "same anchor twice"),
    ("version: @1\n", "E105", (1, 10), "may not begin"),
    ("version\nproject: shop\n", "E105", (2, 8), "`:` is not expected"),
    ("version: 1\n\tproject: shop\n", "E106", (2, 1), "tab"),
    ("version: 1\nplatform:\n\tplan: pro\n", "E106", (3, 1), "tab"),
    ("version: 1\nproject: shop\nproject: b\n", "E107", (3, 1), "stands twice"),
    ("version: !!python/object:os.system 1\n", "E110", (1, 10), "!!python/object:os.system"),
    ("version: !foo 1\n", "E110", (1, 10), "!foo"),
    ("version: !!set {a}\n", "E110", (1, 10), "!!set"),
    ("version: 1\n---\nproject: a\n", "E111", (2, 1), "more than one document"),
    ("", "E112", (1, 1), "empty"),
    ("\n\n# nothing\n", "E112", (1, 1), "empty"),
    ("---\n", "E112", (1, 1), "empty"),
    ("? [a]\n: 1\n", "E113", (1, 3), "cannot be a key"),
    ("1: x\n", "E113", (1, 1), "`1` is not text"),
    ("null: x\n", "E113", (1, 1), "`null` is not text"),
    ("version: 1\n<<: 5\n", "E113", (2, 5), "takes a mapping"),
    ("- version: 1\n", "E122", (1, 1), "mapping of keys"),
    ("shop\n", "E122", (1, 1), "mapping of keys"),
    ("version: 1\nproject: a\x00b\n", "E104", (2, 11), "U+0000"),
    ("version: 1\nproject: a\x85b\n", "E104", (2, 11), "U+0085"),
    ("version: 1\nproject: a\u2028b\n", "E104", (2, 11), "U+2028"),
    ("version: 1\r\nproject: a\x07b\r\n", "E104", (2, 11), "U+0007"),
    ("version: 1\nproject: a\ud800b\n", "E104", (2, 11), "U+D800"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "place", "message"), CASES, ids=[repr(c[0])[:40] for c in CASES])
def test_a_fault_of_syntax_has_a_place_and_our_words(
    text: str, code: str, place: tuple[int, int], message: str
) -> None:
    found = [d for d in findings(text) if d.code == code]
    assert len(found) == 1, findings(text)
    assert (found[0].span.line, found[0].span.column) == place
    assert message in found[0].message
    assert found[0].why
    assert found[0].help


def test_the_first_of_two_duplicates_is_shown_as_well() -> None:
    finding = the("version: 1\nproject: shop\nproject: store\n")
    assert [label.span.line for label in finding.labels] == [2]


def test_windows_line_ends_change_nothing() -> None:
    text = f"{TOP}workloads:\n  a:\n    trigger: manual\n    duration: {{max: 5s}}\n"
    assert spec_of(text.replace("\n", "\r\n")) == spec_of(text)
    assert spec_of(text.replace("\n", "\r\n")).at("workloads.a.trigger").line == 5


def test_small_aliases_and_merge_keys_are_welcome() -> None:
    spec = spec_of(
        TOP
        + """
workloads:
  a: &common
    trigger: manual
    duration: &time {max: 5s}
  b:
    <<: *common
    summary: Another
  c:
    <<: [*common, {summary: Last}]
    duration: {<<: *time, typical: 1s}
"""
    )
    a, b, c = spec.workloads
    assert (a.durations, a.triggers) == (b.durations, b.triggers)
    assert (b.summary, c.summary) == ("Another", "Last")
    assert (c.durations.max_ms, c.durations.typical_ms) == (5000, 1000)
    assert b.at("duration.max").line == 7


def test_a_string_tag_is_the_only_one_that_means_something() -> None:
    assert spec_of("version: 1\nproject: !!str shop\n").project == "shop"
    assert spec_of("version: !!int 1\nproject: shop\n").project == "shop"
