"""The difference of two specs weighs a change as a plan against a database would."""

from __future__ import annotations

import pytest
from apply.shop import QUEUE, spec_of

from orchestra import pipeline
from orchestra.ir.category import Category


@pytest.mark.parametrize(
    ("statement", "category"),
    [
        ("SELECT   1 -- as it was", Category.METADATA),
        ("select 2", Category.BEHAVIOUR),
    ],
)
def test_a_statement_in_other_words_weighs_nothing(statement: str, category: Category) -> None:
    before, after = (
        pipeline.compile_spec(spec_of(QUEUE.replace("select 1", text))) for text in ("select 1", statement)
    )
    (change,) = pipeline.diff(before, after)
    assert [f.path for f in change.fields] == ["sql"]
    assert change.category is category
