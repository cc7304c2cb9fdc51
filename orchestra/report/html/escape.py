"""Foreign text in HTML: the one place where it enters a page."""

from __future__ import annotations

from html import escape

from orchestra.plan.model import Action
from orchestra.report.cells import visible


def text(value: str) -> str:
    """Text for an element or a quoted attribute; control and bidirectional characters written as escapes."""
    return escape(visible(value, keep="\n\t"), quote=True)


def line(value: str) -> str:
    """The same on one line."""
    return escape(visible(value, keep=""), quote=True)


LOOKS = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.REPLACE: "replace",
    Action.DELETE: "delete",
    Action.ADOPT: "adopt",
    Action.FORGET: "forget",
}
"""The class of what an action touches; the style gives each its colour."""
