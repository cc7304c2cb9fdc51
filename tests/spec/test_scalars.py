"""Only what all YAML readers read alike is anything but text."""

from __future__ import annotations

import pytest

from orchestra.spec.scalars import hint, resolve
from spec.helpers import in_workload, spec_of, the, workload


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("false", False), ("null", None), ("~", None), ("", None), ("0", 0), ("-7", -7),
        ("50000", 50000), ("1.5", 1.5), ("-0.25", -0.25),
    ],
)  # fmt: skip
def test_what_is_read_alike_everywhere_has_its_meaning(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    ["yes", "no", "on", "off", "y", "N", "True", "TRUE", "Null", "010", "0o17", "0x1F", "1e3", "1_000", "+5",
     "1:30", "190:20:30", ".inf", ".nan", "2026-01-31", "2026-01-31T10:00:00Z", "5s", "1.", ".5", "9" * 40,
     "1.4.4", "=", "<<", "12:30:45"],
)  # fmt: skip
def test_everything_else_stays_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize(
    "text", ["yes", "No", "on", "True", "NULL", "010", "0o17", "0x1F", "1e3", "1_000", "+5", "1:30", ".inf"]
)
def test_text_that_readers_disagree_about_has_a_hint(text: str) -> None:
    assert text in hint(text)


@pytest.mark.parametrize("text", ["hello", "5s", "public.documents", "a:b", ""])
def test_plain_words_need_no_hint(text: str) -> None:
    assert hint(text) == ""


def test_on_is_a_key_and_not_true() -> None:
    one = workload("trigger: {table: {name: public.a, on: [insert]}}\nduration: {max: 5s}").triggers[0]
    assert one.on == ("insert",)  # type: ignore[union-attr]


def test_a_summary_may_look_like_a_time() -> None:
    assert workload("trigger: manual\nduration: {max: 5s}\nsummary: 1:30").summary == "1:30"


def test_a_boolean_must_be_true_or_false() -> None:
    finding = the(in_workload("paused: yes"))
    assert finding.code == "E122"
    assert "Write `true`" in finding.help


def test_octal_numbers_are_not_guessed() -> None:
    finding = the(in_workload("batch_size: 010"))
    assert finding.code == "E122"
    assert "octal 8" in finding.help


def test_a_version_number_needs_quotes() -> None:
    text = "version: 1\nproject: shop\nrequires: [{extension: pgmq, version: 1.4}]\n"
    assert '"1.4"' in the(text).help
    assert spec_of(text.replace("1.4", '"1.4"')).requires[0].version == "1.4"
