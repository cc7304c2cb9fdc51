"""Every code has a page, a spec that shows it and one that does not."""

from __future__ import annotations

import re

import pytest

from orchestra.spec import CODES, CodeDoc, parse_spec

SHOWN = [doc for doc in CODES if not doc.bad.startswith("# ") or doc.code == "E112"]


@pytest.mark.parametrize("doc", SHOWN, ids=lambda d: d.code)
def test_the_bad_spec_has_the_finding_and_the_good_one_has_none(doc: CodeDoc) -> None:
    assert doc.code in {d.code for d in parse_spec(doc.bad).diagnostics}
    assert parse_spec(doc.good).diagnostics == ()


@pytest.mark.parametrize("doc", SHOWN, ids=lambda d: d.code)
def test_every_finding_says_what_why_and_what_to_do(doc: CodeDoc) -> None:
    for finding in parse_spec(doc.bad).diagnostics:
        assert finding.message
        assert finding.why
        assert finding.help
        assert finding.is_error


def test_codes_are_in_order_and_each_stands_once() -> None:
    codes = [doc.code for doc in CODES]
    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"E1\d\d", code) for code in codes)
    assert len(codes) >= 12


@pytest.mark.parametrize("doc", CODES, ids=lambda d: d.code)
def test_every_page_is_complete(doc: CodeDoc) -> None:
    assert doc.title
    assert doc.why
    assert doc.bad
    assert doc.good
