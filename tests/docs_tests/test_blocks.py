"""How a page is read: prompts, here-documents, wildcards, and comments that nobody would understand."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs_tests import blocks

PAGE = Path("page.md")


def test_a_console_block_is_cut_at_its_prompts() -> None:
    text = "```console\n$ echo a \\\n    b\na b\n$ cat <<'END'\nx\nEND\nx\n```\n"
    first, second = blocks.commands(blocks.read(PAGE, text).blocks[0])
    assert (first.script, first.expected) == ("echo a \\\n    b", "a b")
    assert (second.script, second.expected, second.line) == ("cat <<'END'\nx\nEND", "x", 5)


def test_a_comment_speaks_of_the_block_that_follows() -> None:
    text = "<!-- setup: the shop -->\n\n<!-- not run: it needs GitHub -->\n```sh\na\n```\n\n```sh\nb\n```\n"
    page = blocks.read(PAGE, text)
    assert page.setup == "the shop"
    assert [b.not_run for b in page.blocks] == ["it needs GitHub", None]


def test_a_block_can_be_a_file() -> None:
    page = blocks.read(PAGE, "<!-- file: orchestra.yaml -->\n```yaml\nversion: 1\n```\n")
    assert [(b.file, b.text) for b in page.blocks] == [("orchestra.yaml", "version: 1\n")]


@pytest.mark.parametrize(
    "comment", ["<!-- not run -->", "<!-- not run:  -->", "<!-- not-run: why -->", "<!-- setup -->"]
)
def test_a_comment_that_nobody_understands_is_an_error(comment: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        blocks.read(PAGE, f"{comment}\n\n```sh\na\n```\n")


def test_a_reason_before_no_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="before no block"):
        blocks.read(PAGE, "<!-- not run: it needs GitHub -->\n\nSome text.\n\n```sh\na\n```\n")


@pytest.mark.parametrize(
    ("expected", "said", "fit"),
    [
        ("", "anything", True),
        ("a … c", "a b c", True),
        ("…\nPlan: 3 to add", "much\nPlan: 3 to add, 1", True),
        ("Plan: 3", "Plan: 4", False),
        ("a.c", "abc", False),
        ("a b", "a\n   b", True),
    ],
)
def test_output_is_compared_up_to_space_and_wildcards(expected: str, said: str, fit: bool) -> None:
    assert blocks.fits(expected, said) is fit
