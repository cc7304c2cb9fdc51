"""JSON that is printed as it came: no digit lost, no credential shown, nothing that drives a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra.report import json_text
from orchestra.report.json_text import Raw

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_it_looks_as_python_writes_it_and_means_the_same(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert json_text.pretty(text) == json.dumps(value, ensure_ascii=False, indent=2)
    assert json_text.one_line(json_text.pretty(text)) == text
    assert json_text.dumps({"a": [Raw(text)]}) == json.dumps({"a": [value]}, ensure_ascii=False, indent=2)
    assert json.loads(json_text.dumps({"a": Raw(text)}, indent=None)) == {"a": value}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, st.sampled_from(["ascii", "latin-1", "utf-8"]))
def test_what_is_escaped_is_the_same_value(value: Any, encoding: str) -> None:
    text = json_text.escaped(json.dumps(value, ensure_ascii=False, indent=2), encoding)
    assert json.loads(text) == value
    assert not set(text) & {*map(chr, range(0x7F, 0xA0)), "\u202e", "\u2028", "\x1b"}
    text.encode(encoding)


def test_no_digit_is_lost_and_no_depth_is_too_deep() -> None:
    number = "1" + "0" * 400 + ".5"
    deep = "[" * 5_000 + "]" * 5_000
    text = json_text.dumps({"number": Raw(number), "deep": Raw(deep), "none": Raw(None)})
    assert f'"number": {number},' in text
    assert len(text) < 20_000
    assert "".join(text.split()) == "".join(f'{{"number": {number}, "deep": {deep}, "none": null}}'.split())


@pytest.mark.parametrize(
    "said",
    [
        "postgres://u:hunter2@h/db",
        'see ?password=hunter2"quoted',
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2",
        "password 'hunter2'",
        "Authorization: Bearer hunter2hunter2hunter2",
    ],
)
def test_credentials_are_masked_inside_their_own_strings(said: str) -> None:
    value = {"a": said, said: "b", "n": [1, "it's"]}
    text = json_text.masked(json.dumps(value))
    assert text is not None
    assert "hunter2" not in text
    masked = json.loads(text)
    assert (len(masked), masked["n"]) == (3, [1, "it's"])
