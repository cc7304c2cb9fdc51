"""Whether two SQL texts differ in more than how they are written."""

from __future__ import annotations

from typing import Any

from orchestra.sql.scan import SqlError, parse


def same_meaning(a: str, b: str) -> bool:
    """Whether two texts parse to the same statements: blanks, comments, case and needless brackets do not
    count.

    PostgreSQL's grammar decides. Where it cannot read a text (a statement of another version), sqlglot
    compares; where that cannot either, only blanks are forgiven.
    """
    if a == b:
        return True
    try:
        left, right = parse(a), parse(b)
    except SqlError:
        return _by_sqlglot(a, b)
    return bool(_bare(left) == _bare(right))


def _bare(tree: Any) -> Any:
    """The tree without its locations."""
    if isinstance(tree, dict):
        return {k: _bare(v) for k, v in tree.items() if k not in {"location", "stmt_location", "stmt_len"}}
    return [_bare(item) for item in tree] if isinstance(tree, list) else tree


def _by_sqlglot(a: str, b: str) -> bool:
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return bool(sqlglot.parse(a, read="postgres") == sqlglot.parse(b, read="postgres"))
    except (SqlglotError, RecursionError):
        return a.split() == b.split()
