"""`inspect(sql)`: what a statement is, reads, writes and calls."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from orchestra.sql.bind import BoundSql, bind
from orchestra.sql.model import Inspection
from orchestra.sql.scan import SqlError, parse
from orchestra.sql.walk import Walk

_KINDS: Final = {
    "SelectStmt": "SELECT",
    "InsertStmt": "INSERT",
    "UpdateStmt": "UPDATE",
    "DeleteStmt": "DELETE",
    "MergeStmt": "MERGE",
    "CallStmt": "CALL",
    "TruncateStmt": "TRUNCATE",
    "RefreshMatViewStmt": "REFRESH MATERIALIZED VIEW",
    "NotifyStmt": "NOTIFY",
    "CreateTableAsStmt": "CREATE TABLE AS",
    "CreateStmt": "CREATE TABLE",
    "IndexStmt": "CREATE INDEX",
    "CreateFunctionStmt": "CREATE FUNCTION",
    "AlterTableStmt": "ALTER TABLE",
    "DropStmt": "DROP",
    "VariableSetStmt": "SET",
    "VariableShowStmt": "SHOW",
    "CopyStmt": "COPY",
    "ListenStmt": "LISTEN",
    "UnlistenStmt": "UNLISTEN",
    "DoStmt": "DO",
    "LockStmt": "LOCK",
    "ExplainStmt": "EXPLAIN",
    "GrantStmt": "GRANT or REVOKE",
    "GrantRoleStmt": "GRANT or REVOKE",
    "PrepareStmt": "PREPARE",
    "ExecuteStmt": "EXECUTE",
    "DeclareCursorStmt": "DECLARE CURSOR",
}


@lru_cache(maxsize=4096)
def inspect(sql: str) -> Inspection:
    """Read a SQL text with PostgreSQL's grammar. Named parameters are bound first; nothing is raised."""
    bound = bind(sql)
    try:
        statements = parse(bound.text)
    except SqlError as error:
        offset = None if error.offset is None else bound.original(error.offset)
        return Inspection(error=error.message, offset=offset)
    if not statements:
        return Inspection()
    walk = Walk(_Offsets(bound))
    for statement in statements:
        walk.statement(statement)
    return Inspection(
        statements=len(statements),
        kind=_kind(statements[0]),
        answers=_answers(statements[0]),
        relations=tuple(walk.relations),
        functions=tuple(walk.functions),
        operators=tuple(walk.operators),
        types=tuple(walk.types),
        columns=frozenset(walk.columns),
        parameters=frozenset(walk.parameters),
    )


def _answers(statement: dict[str, Any]) -> bool:
    node, body = next(iter(statement.items()))
    returning = "returningClause" in body or "returningList" in body
    return (node == "SelectStmt" and "intoClause" not in body) or returning


def _kind(statement: dict[str, Any]) -> str:
    node, body = next(iter(statement.items()))
    if node == "SelectStmt" and "intoClause" in body:
        return "SELECT INTO"
    if node == "TransactionStmt":
        return str(body.get("kind", "")).removeprefix("TRANS_STMT_").replace("_", " ")
    if node == "VacuumStmt":
        return "VACUUM" if body.get("is_vacuumcmd") else "ANALYZE"
    return _KINDS.get(node) or _words(node)


def _words(node: str) -> str:
    """`CreateExtensionStmt` -> `CREATE EXTENSION`."""
    name = node.removesuffix("Stmt")
    return "".join(f" {c}" if c.isupper() else c.upper() for c in name).strip().upper()


class _Offsets:
    """Byte offsets of the tree as character offsets of the text as written."""

    def __init__(self, bound: BoundSql) -> None:
        self._bound = bound
        self._bytes = None if bound.text.isascii() else bound.text.encode()

    def __call__(self, location: int) -> int:
        if self._bytes is not None:
            location = len(self._bytes[:location].decode(errors="ignore"))
        return self._bound.original(location)
