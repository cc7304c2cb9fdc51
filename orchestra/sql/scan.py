"""PostgreSQL's scanner and parser behind one door that never raises anything but `SqlError`."""

from __future__ import annotations

import json
from typing import Any


class SqlError(Exception):
    """A text that is no SQL: what is wrong, and at which character (None where that is unknown)."""

    def __init__(self, message: str, offset: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def scan(sql: str) -> list[Any] | None:
    """Tokens (`start`, `end` inclusive, `name`, `kind`; offsets in characters), or None where it cannot be
    scanned."""
    from pglast import Error, parser

    if "\0" in sql:
        return None
    try:
        tokens: list[Any] = parser.scan(sql)
    except (Error, UnicodeEncodeError):
        return None
    return tokens


def parse(sql: str) -> list[dict[str, Any]]:
    """The statements as libpg_query's JSON tree; locations in it count bytes. Raises SqlError."""
    from pglast import Error, parser

    if "\0" in sql:
        raise SqlError("a NUL character", sql.index("\0"))
    try:
        tree = json.loads(parser.parse_sql_json(sql))
    except Error as error:
        message, offset = (*error.args, None, None)[:2]
        raise SqlError(str(message), offset if isinstance(offset, int) else None) from error
    except UnicodeEncodeError as error:
        raise SqlError("a character that is no Unicode (half of a surrogate pair)", error.start) from error
    except RecursionError as error:
        raise SqlError("it is nested too deeply", None) from error
    statements: list[dict[str, Any]] = [s["stmt"] for s in tree["stmts"] if "stmt" in s]
    return statements
