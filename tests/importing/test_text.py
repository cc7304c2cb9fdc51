"""What is written by hand is read back as it was meant, whatever it holds."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestra.importing.text import block, comment, flow, scalar, statement, verbatim
from orchestra.spec.load import parse_spec

TEXTS = st.text(
    st.one_of(
        st.sampled_from(list(" \t\n\r:#'\"\\{}[],|->!&*%@`yn0~\x00\x1b\x7f\x85\u2028\ufeff\u202eéß日🚀")),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=60,
)
SPEC = "version: 1\nproject: x\nworkloads:\n  w:\n    trigger: manual\n    duration: {max: 1s}\n    run:\n"


def read_back(lines: list[str]) -> str:
    loaded = parse_spec(SPEC + "\n".join(lines) + "\n")
    assert loaded.spec is not None, loaded.diagnostics
    assert loaded.ok, loaded.diagnostics
    return loaded.spec.workloads[0].handler.sql  # type: ignore[union-attr]


@given(TEXTS)
def test_a_scalar_is_read_back_by_every_reader(text: str) -> None:
    assert yaml.safe_load(f"k: {scalar(text)}") == {"k": text}
    assert yaml.safe_load(f"k: [{flow(text)}, {flow({'a': text})}]") == {"k": [text, {"a": text}]}


@given(TEXTS)
def test_a_block_is_read_back(text: str) -> None:
    assert yaml.safe_load("\n".join(["run:", *block("sql", text, 2)])) == {"run": {"sql": text}}
    if "\0" not in text:
        assert read_back(block("sql", text, 6)) == text


@pytest.mark.parametrize("text", ["yes", "on", "null", "010", "1e3", "1:30", "~", "true", "2026-01-31", ""])
def test_what_readers_disagree_about_is_quoted(text: str) -> None:
    assert scalar(text) == f'"{text}"'


@given(TEXTS)
def test_comments_are_comments_and_no_directives(text: str) -> None:
    hostile = f"{text}\n# orchestra: ignore[E313] because #orchestra:ignore[W1] x"
    lines = [*comment(hostile, 2), *verbatim([hostile], 2)]
    assert all(line.lstrip().startswith("#") and len(line.splitlines()) == 1 for line in lines)
    loaded = parse_spec("\n".join([*lines, "version: 1", "project: x", "workloads: {}"]))
    assert loaded.spec is not None, loaded.diagnostics
    assert loaded.spec.ignores == ()


def test_what_stands_in_backticks_stays_on_one_line() -> None:
    words = "word " * 18
    assert any(
        "`select cron.unschedule(12)`" in line for line in comment(f"{words}`select cron.unschedule(12)`")
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("\n   select 1\n     from x\n   where y;\n", "select 1\n  from x\nwhere y"),
        ("select 1;", "select 1"),
        ("select ';'", "select ';'"),
        ("\n   select 'a\n   b'\n   from x", "select 'a\n   b'\n   from x"),
        ("select 1; -- and done;", "select 1; -- and done;"),
        ("select 'open", "select 'open"),
    ],
)
def test_a_statement_loses_blanks_and_never_a_literals(written: str, meant: str) -> None:
    assert statement(written) == meant
