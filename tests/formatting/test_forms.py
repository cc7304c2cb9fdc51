"""Single cases, before and after."""

from __future__ import annotations

from textwrap import dedent

import pytest

from orchestra.errors import SpecError
from orchestra.formatting import CannotFormatError, format_text


def formatted(text: str) -> str:
    after = format_text(dedent(text).lstrip("\n"), "orchestra.yaml")
    assert format_text(after, "orchestra.yaml") == after
    return after


def expect(text: str) -> str:
    return dedent(text).lstrip("\n")


def test_keys_go_into_order_with_their_comments_and_workloads_get_room() -> None:
    assert formatted("""
        # yaml-language-server: $schema=./s.json
        # how it is called
        project: shop
        version: 1    # the format
        workloads:
            # it does b
            b:
                run: {sql: 'select 1'}   # orchestra: ignore[W201] why
                # how long
                duration: {  max: 5s,typical: 1s }
                trigger: manual
                # retry: {max_attempts: 3}
            a: {trigger: manual, duration: {max: 1s}}
        """) == expect("""
        # yaml-language-server: $schema=./s.json
        version: 1    # the format
        # how it is called
        project: shop
        workloads:
          # it does b
          b:
            trigger: manual
            # how long
            duration: {typical: 1s, max: 5s}
            run: {sql: "select 1"}   # orchestra: ignore[W201] why
            # retry: {max_attempts: 3}

          a: {trigger: manual, duration: {max: 1s}}
        """)


def test_the_line_of_the_editor_comes_first_and_a_head_stays_above() -> None:
    text = "# Ours, and nobody's else.\n\n# yaml-language-server: $schema=s\nproject: a\nversion: 1\n"
    assert formatted(text) == (
        "# yaml-language-server: $schema=s\n# Ours, and nobody's else.\n\nversion: 1\nproject: a\n"
    )


def test_anchors_stay_above_their_aliases_and_merge_keys_come_first() -> None:
    text = expect("""
        version: 1
        project: shop
        workloads:
          a:
            trigger: manual
            retry: &often {max_attempts: 9}
            duration: {max: 5s}

          b:
            retry: *often
            trigger: manual
            duration: {max: 5s}

          c:
            duration: {max: 5s}
            <<: {paused: true}
        """)
    after = formatted(text)
    assert after.index("&often") < after.index("*often")
    assert "c:\n    <<: {paused: true}\n    duration: {max: 5s}" in after
    held = "version: 1\nworkloads: {a: {retry: &r {max_attempts: 2}}}\ndefaults: {retry: *r}\n"
    assert formatted(held) == held


def test_a_block_scalar_keeps_its_bytes_wherever_its_key_goes() -> None:
    text = (
        "workloads:\n   a:\n      run:\n         role: x\n         sql: |2+\n"
        "             deeper\n\n           # no comment\n\n\n      trigger: manual\n"
    )
    assert "sql: |2+\n          deeper\n\n        # no comment\n\n\n" in formatted(text)


def test_a_file_without_a_last_line_break_gets_one_and_its_last_value_does_not() -> None:
    assert formatted("workloads: {}\nproject: a") == "project: a\nworkloads: {}\n"
    assert formatted("run:\n  sql: |\n    select 1") == "run:\n  sql: |-\n    select 1\n"


def test_lines_between_document_marks_are_formatted_and_the_marks_stay() -> None:
    assert formatted("# c\n---\nproject: a\nversion: 1\n...\n") == "# c\n---\nversion: 1\nproject: a\n...\n"


@pytest.mark.parametrize(
    "text", ["a: [1\n", "a: 1\na: 2\n", "", "- a\n", "a: !!python/object x\n", "a: \x07\n"]
)
def test_what_no_spec_can_be_read_from_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        format_text(text, "orchestra.yaml")


@pytest.mark.parametrize("text", ["version: 1\n? project\n: a\n", "# c\n--- {version: 1}\n"])
def test_rare_forms_are_refused_with_their_line(text: str) -> None:
    with pytest.raises(CannotFormatError) as refused:
        format_text(text, "orchestra.yaml")
    assert refused.value.line == 2


@pytest.mark.parametrize(
    "text",
    [
        "\n- - b\n  - c\n-   d\n",
        "'x\n  y'\n",
        '"p\\\n  q"\n',
        "x\n  y z\n\n  w\n",
        "{b: [1,\n 2], # c\n c: d}\n",
        "&b\n",
        "[x: 1, {? y}]\n",
        "|\n \n\n   \n",
        "|\n  a\n    \n",
        "|+ # +\n\n\n",
        "# c1\n  # c2\n  x # c3\n",
        "\n  # c\n  - # d\n    b: 1\n  -\n    # e\n    c: 2\n",
        "\n    - b\n    # z\n# y\n  # x\n",
        "|2-\n    x\n   y\n",
        '"#x" #y\n',
        "x#y #z\n",
        "\t1\t# t\n",
        "\n- a\n# c\n- b\n",
    ],
)
def test_odd_values_keep_what_they_say(text: str) -> None:
    """Looked at by the proof that every run makes."""
    formatted(f"workloads: {text}version: 1\n")


def test_long_flow_values_over_several_lines_keep_their_lines() -> None:
    text = "requires: [\n  {name: a},   # why\n  {name: b},\n]\n"
    assert formatted(text) == text
