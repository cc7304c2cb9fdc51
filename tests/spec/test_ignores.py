"""Only real comments silence findings."""

from __future__ import annotations

from spec.helpers import TOP, spec_of


def ignores(text: str) -> list[tuple[int, int, tuple[str, ...], str]]:
    return [(i.line, i.column, i.codes, i.reason) for i in spec_of(text).ignores]


def test_a_comment_names_codes_and_a_reason() -> None:
    text = TOP + "platform: {plan: pro}  # orchestra: ignore[W310, E204] it is meant so\n"
    assert ignores(text) == [(3, 24, ("W310", "E204"), "it is meant so")]


def test_a_reason_may_be_missing_and_blanks_do_not_matter() -> None:
    assert ignores("#orchestra:ignore[W1]\n" + TOP) == [(1, 1, ("W1",), "")]
    assert ignores("  #   orchestra:  ignore[ W1 ,,W2 ]   why \n" + TOP) == [(1, 3, ("W1", "W2"), "why")]


def test_text_that_looks_like_a_comment_is_none() -> None:
    text = (
        TOP
        + """
workloads:
  work:
    trigger: manual
    duration: {max: 5s}
    summary: "see # orchestra: ignore[W1] here"
    run:
      sql: |  # orchestra: ignore[W2] a comment after the bar is one
        select 1
        # orchestra: ignore[W3] within the text
        where true
    # orchestra: ignore[W4] below the text
"""
    )
    assert [codes for _, _, codes, _ in ignores(text)] == [("W2",), ("W4",)]


def test_windows_line_ends_do_not_matter() -> None:
    text = TOP + "platform: {plan: pro}  # orchestra: ignore[W310] so\n"
    assert ignores(text.replace("\n", "\r\n")) == ignores(text)


def test_a_hash_within_a_word_begins_no_comment() -> None:
    text = TOP + "composition: {stage: a#orchestra:ignore[W1}\n"
    assert spec_of(text.replace("[W1", "")).ignores == ()
