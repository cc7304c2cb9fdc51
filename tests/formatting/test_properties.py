"""What holds for every spec, however it is written."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written import written

from orchestra.errors import SpecError
from orchestra.formatting import format_bytes, format_text
from orchestra.spec import parse, parse_spec

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/*.yaml"))


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(written())
def test_the_data_the_comments_and_the_spec_stay_and_a_second_run_changes_nothing(
    case: tuple[dict[str, Any], str, list[str]],
) -> None:
    data, text, comments = case
    after = format_text(text, "orchestra.yaml")
    tree = parse(after, "orchestra.yaml").tree
    assert tree is not None
    assert tree.data == data
    counted = Counter(c for line in after.split("\n") for c in comments if line.endswith(c))
    assert counted == Counter(comments)
    assert parse_spec(after).spec == parse_spec(text).spec
    assert format_text(after, "orchestra.yaml") == after


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_comment_put_anywhere_into_an_example_stays(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(EXAMPLES)).read_text("utf-8").split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines.insert(at, " " * data.draw(st.integers(0, 9)) + data.draw(st.sampled_from(["# here", "", "#"])))
    text = "\n".join(lines)
    try:
        after = format_text(text, "orchestra.yaml")
    except SpecError:
        return  # it took a place where no comment can be
    assert after.count("# here") == text.count("# here")
    assert format_text(after, "orchestra.yaml") == after


@settings(max_examples=30, deadline=None)
@given(written(), st.sampled_from([b"", b"\xef\xbb\xbf"]), st.sampled_from(["\n", "\r\n"]))
def test_the_byte_order_mark_and_the_line_breaks_stay(
    case: tuple[dict[str, Any], str, list[str]], mark: bytes, end: str
) -> None:
    done = format_bytes(mark + case[1].replace("\n", end).encode(), "orchestra.yaml")
    assert done.after.startswith(mark)
    assert done.after.count(b"\r") == (done.after.count(b"\n") if end == "\r\n" else 0)
    assert format_bytes(done.after, "orchestra.yaml").after == done.after
