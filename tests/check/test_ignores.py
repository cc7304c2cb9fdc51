"""Comments that silence findings."""

from __future__ import annotations

import pytest
from check.specs import codes, found

UNLOGGED = """\
version: 1
project: shop
workloads:
  metrics:
    trigger: manual
    duration: {{max: 40s}}
{above}    queue: {{kind: unlogged}}{beside}
"""


def unlogged(beside: str = "", above: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in above.splitlines())
    return UNLOGGED.format(beside=f" {beside}" if beside else "", above=lines)


def test_beside_the_line() -> None:
    assert codes(unlogged("# orchestra: ignore[W304] rebuilt every night")) == []


def test_above_the_line() -> None:
    assert codes(unlogged(above="# orchestra: ignore[W304] rebuilt every night")) == []


def test_two_comments_above_the_line() -> None:
    above = "# orchestra: ignore[W304] rebuilt every night\n# orchestra: ignore[W305] never fires"
    assert codes(unlogged(above=above)) == ["W902"]


def test_only_the_code_that_is_named() -> None:
    assert codes(unlogged("# orchestra: ignore[W305] wrong code")) == ["W304", "W902"]


def test_several_codes_in_one_comment() -> None:
    assert codes(unlogged("# orchestra: ignore[W304, W305] rebuilt every night")) == ["W902"]


def test_a_comment_two_lines_above_does_nothing() -> None:
    above = "# orchestra: ignore[W304] too far\nsummary: metrics"
    assert codes(unlogged(above=above)) == ["W902", "W304"]


def test_without_a_reason_it_silences_and_is_a_finding() -> None:
    assert codes(unlogged("# orchestra: ignore[W304]")) == ["W901"]


def test_unused() -> None:
    text = unlogged("# orchestra: ignore[W304] rebuilt every night").replace("unlogged", "standard")
    assert codes(text) == ["W902"]


@pytest.mark.parametrize(
    ("comment", "help"),
    [
        ("# orchestra: ignore[W3O4] typo", "Did you mean"),
        ("# orchestra: ignore[w304] lower case", "Did you mean `W304`?"),
        ("# orchestra: ignore[nonsense] typo", "The codes are listed"),
        ("# orchestra: ignore[] everything", "Name the codes"),
    ],
)
def test_unknown_codes_are_errors(comment: str, help: str) -> None:
    assert [d.code for d in found(unlogged(comment))] == ["W304", "E903"]
    assert help in next(d.help for d in found(unlogged(comment)) if d.code == "E903")


@pytest.mark.parametrize("code", ["E301", "E310", "E101", "W901"])
def test_what_cannot_be_ignored(code: str) -> None:
    assert codes(unlogged(f"# orchestra: ignore[{code}] please")) == ["W304", "E904"]


def test_an_error_stays_where_it_cannot_be_ignored() -> None:
    text = """\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {cron: "10-5 * * * *"}} # orchestra: ignore[E405] it works
    duration: {max: 5s}
"""
    assert codes(text) == ["E405", "E904"]


def test_an_error_of_judgement_may_be_ignored() -> None:
    text = """\
version: 1
project: shop
workloads:
  slug:
    trigger: {table: {name: public.posts, on: [update]}}
    duration: {max: 5s}
    # orchestra: ignore[E316] the slug is the same the second time, and equal values do not fire
    run: {sql: "update public.posts set slug = lower(title) where id = 1"}
"""
    assert codes(text) == []


def test_a_comment_inside_sql_is_no_comment_of_ours() -> None:
    text = """\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 15m}}
    duration: {max: 5s}
    run:
      sql: |
        delete from app.sessions # orchestra: ignore[W309] no
"""
    assert "W902" not in codes(text)
