"""To which workloads a statement sends, as far as it says so in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestra.sql.model import Inspection, Text

_FUNCTIONS: Final = frozenset({"send", "send_many"})
"""Of the schema `orchestra`: their first argument, called `workload`, says where to."""


def sends(inspection: Inspection) -> Iterator[Text]:
    """The names, `workload` or `project/workload`, in the order of the text. What is worked out at run time is none."""
    for function in inspection.functions:
        if function.schema == "orchestra" and function.name in _FUNCTIONS:
            yield from (text for text in function.texts if text.place in (0, "workload"))
