"""A plan in a few lines, as `orchestra dev` tells it."""

from __future__ import annotations

import made_plans as plans
import pytest

from orchestra.report import plan_short
from orchestra.report.cells import width
from orchestra.report.style import Style


@pytest.mark.parametrize("columns", [24, 40, 60, 71, 120])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    lines = plan_short.render(plans.TWENTY, Style(width=columns, colour=False))
    assert max(width(line) for line in lines) <= columns
    told = " ".join(" ".join(lines).split())
    assert " workloads, " in told
    assert "…" not in told
