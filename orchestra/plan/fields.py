"""Two sets of fields, before and after: the only user of deepdiff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from deepdiff import DeepDiff

from orchestra.ir.category import Category
from orchestra.ir.program import Json
from orchestra.kinds import Kind
from orchestra.plan.model import FieldChange
from orchestra.sql import same_meaning

_STATEMENTS: Final = frozenset({"sql", "command", "source"})
"""Fields that hold SQL."""


def changes(before: Mapping[str, Json], after: Mapping[str, Json]) -> tuple[FieldChange, ...]:
    """Field by field, by name. Lists are compared whole: their order means something to the database.

    An absent field and a None are the same thing here.
    """
    old = {k: v for k, v in before.items() if v is not None}
    new = {k: v for k, v in after.items() if v is not None}
    if not old or not new:
        return tuple(FieldChange(k, old.get(k), new.get(k)) for k in (new or old))
    tree: Any = DeepDiff(old, new, view="tree", ignore_numeric_type_changes=True, threshold_to_diff_deeper=0)
    names = {_root(item) for group in tree.values() for item in group}
    return tuple(FieldChange(k, before.get(k), after.get(k)) for k in sorted(names))


def rewritten(change: FieldChange) -> bool:
    """Whether a statement only stands there in other words: blanks, case, comments."""
    old, new = change.before, change.after
    return (
        change.path in _STATEMENTS
        and isinstance(old, str)
        and isinstance(new, str)
        and same_meaning(old, new)
    )


def weightiest(kind: Kind, fields: Iterable[FieldChange]) -> Category:
    """The category of a change: that of its weightiest field. A statement in other words is of no weight."""
    return max(
        (Category.METADATA if rewritten(f) else kind.category(f.path) for f in fields),
        key=list(Category).index,
        default=Category.METADATA,
    )


def _root(item: Any) -> str:
    path = item.path(output_format="list")
    return str(path[0])
