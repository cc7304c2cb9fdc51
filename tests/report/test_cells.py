"""Cells of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.report.cells import cut, visible, width, wrap


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("abc", 3),
        ("日本", 4),
        ("🇩🇪", 2),
        ("👩‍👩‍👧", 2),
        ("é", 1),
        ("\tx", 5),
        ("ab\tx", 5),
        ("👍🏽", 2),
        ("❤️", 2),
        ("", 0),
    ],
)
def test_width_in_cells(text: str, cells: int) -> None:
    assert width(text) == cells


@given(st.text(st.characters(exclude_characters="\n"), max_size=40), st.integers(2, 30))
def test_what_is_cut_fits(text: str, limit: int) -> None:
    assert width(cut(text, limit)) <= limit


@given(st.text(max_size=80), st.integers(10, 60))
def test_wrapping_loses_no_word(text: str, limit: int) -> None:
    assert " ".join(wrap(text, limit)).split() == text.split()


@given(st.text(max_size=40))
def test_nothing_visible_drives_a_terminal(text: str) -> None:
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in visible(text, keep=""))
    assert visible(visible(text)) == visible(text)
