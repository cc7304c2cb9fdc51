"""One pass over libpg_query's JSON tree, without recursion: relations in their scope, functions, types,
operators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from orchestra.sql.model import Name, Relation, Text

Node = dict[str, Any]
_EVENTS: Final = {
    "InsertStmt": "insert",
    "UpdateStmt": "update",
    "DeleteStmt": "delete",
    "MergeStmt": "",
    "RefreshMatViewStmt": "refresh",
}
_MEANING: Final = frozenset(_EVENTS) | {
    "RangeVar",
    "FuncCall",
    "funccall",
    "A_Expr",
    "TypeName",
    "typeName",
    "ColumnRef",
    "ParamRef",
    "intoClause",
    "TruncateStmt",
    "CreateTableAsStmt",
}
"""The nodes and fields that `_visit` knows."""
_LEAVES: Final = frozenset({"String", "A_Const", "A_Star", "ival", "sval", "fval", "boolval"})
"""Nodes that hold nothing with a meaning here. They are most of a tree, so they are not even looked into."""
_LISTS_OF_WORDS: Final = frozenset({"fields", "funcname", "names", "lockedRels"})
"""Lists of bare words, read by `_visit` or not at all."""
_MERGE: Final = {"CMD_INSERT": "insert", "CMD_UPDATE": "update", "CMD_DELETE": "delete"}


class Walk:
    """Collects what statements name. `offset` maps a location of the tree to a character of the text as
    written."""

    def __init__(self, offset: Callable[[int], int]) -> None:
        self._offset = offset
        self._stack: list[tuple[Any, frozenset[str]]] = []
        self.relations: list[Relation] = []
        self.functions: list[Name] = []
        self.operators: list[Name] = []
        self.types: list[Name] = []
        self.columns: set[str] = set()
        self.parameters: set[int] = set()

    def statement(self, tree: Node) -> None:
        self._stack.append((tree, frozenset()))
        while self._stack:
            node, scope = self._stack.pop()
            if node.__class__ is list:
                self._stack += [(item, scope) for item in reversed(node)]
                continue
            if node.__class__ is not dict:
                continue
            # Most of a tree is scalars and plain nesting: only what has a meaning here is looked at.
            for key, value in reversed(node.items()):
                kind = value.__class__
                if kind is dict:
                    if key in _MEANING or "withClause" in value:
                        self._visit(key, value, scope)
                    elif key not in _LEAVES:
                        self._stack.append((value, scope))
                elif kind is list and key not in _LISTS_OF_WORDS:
                    self._stack.append((value, scope))

    def _visit(self, key: str, value: Node, scope: frozenset[str]) -> None:
        """`key` is the node's type, or the field that holds it."""
        match key:
            case "RangeVar":
                if "schemaname" in value or value.get("relname") not in scope:
                    self._relation(value)
            case "FuncCall" | "funccall":
                self._named(self.functions, value.get("funcname"), value, tuple(self._texts(value)))
            case "A_Expr":
                if value.get("kind") in {"AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_OP_ALL"}:
                    self._named(self.operators, value.get("name"), value)
            case "TypeName" | "typeName":
                self._named(self.types, value.get("names"), value)
            case "ColumnRef":
                last = value.get("fields", [{}])[-1]
                if name := last.get("String", {}).get("sval"):
                    self.columns.add(name)
                return
            case "ParamRef":
                self.parameters.add(int(value.get("number", 0)))
                return
            case "intoClause":
                self._relation(value.get("rel", {}), frozenset({"create"}))
            case "TruncateStmt":
                for item in value.get("relations", ()):
                    self._relation(item.get("RangeVar", {}), frozenset({"truncate"}))
                return
            case "CreateTableAsStmt":
                self._relation(value.get("into", {}).get("rel", {}), frozenset({"create"}))
                value = {"query": value.get("query")}
        if key in _EVENTS:
            self._written(key, value)
            value = {k: v for k, v in value.items() if k != "relation"}
        if "withClause" in value:
            scope = self._with(value["withClause"], scope)
            value = {k: v for k, v in value.items() if k != "withClause"}
        self._push(value, scope)

    def _push(self, value: Any, scope: frozenset[str]) -> None:
        if isinstance(value, (dict, list)):
            self._stack.append((value, scope))

    def _with(self, clause: Node, scope: frozenset[str]) -> frozenset[str]:
        """Queue the queries of a WITH clause, each in its scope, and return the scope of the statement it
        stands on."""
        tables = [c["CommonTableExpr"] for c in clause.get("ctes", ()) if "CommonTableExpr" in c]
        names = [str(t.get("ctename")) for t in tables]
        recursive = scope | set(names)
        for position, table in enumerate(tables):
            inner = recursive if clause.get("recursive") else scope | set(names[:position])
            self._push(table.get("ctequery"), inner)
        return recursive

    def _written(self, key: str, body: Node) -> None:
        events = {_EVENTS[key]} - {""}
        columns = [*_targets(body)] if key == "UpdateStmt" else []
        conflict = body.get("onConflictClause", {})
        if conflict.get("action") == "ONCONFLICT_UPDATE":
            events.add("update")
            columns += _targets(conflict)
        for clause in body.get("mergeWhenClauses", ()):
            when = clause.get("MergeWhenClause", {})
            command = _MERGE.get(when.get("commandType"))
            if command is not None:
                events.add(command)
            if command == "update":
                columns += _targets(when)
        unbounded = key in {"UpdateStmt", "DeleteStmt"} and "whereClause" not in body
        self._relation(body.get("relation", {}), frozenset(events), tuple(dict.fromkeys(columns)), unbounded)

    def _relation(
        self,
        body: Node,
        writes: frozenset[str] = frozenset(),
        columns: tuple[str, ...] = (),
        unbounded: bool = False,
    ) -> None:
        if "relname" in body:
            place = self._offset(int(body.get("location", 0)))
            schema = body.get("schemaname")
            self.relations.append(Relation(schema, body["relname"], place, writes, columns, unbounded))

    def _texts(self, call: Node) -> Iterator[Text]:
        for position, argument in enumerate(call.get("args", ())):
            place: int | str = position
            if "NamedArgExpr" in argument:
                place, argument = (
                    argument["NamedArgExpr"].get("name", ""),
                    argument["NamedArgExpr"].get("arg", {}),
                )
            while "TypeCast" in argument:
                argument = argument["TypeCast"].get("arg", {})
            constant = argument.get("A_Const", {})
            if (value := constant.get("sval", {}).get("sval")) is not None:
                yield Text(place, value, self._offset(int(constant.get("location", 0))))

    def _named(self, into: list[Name], parts: Any, body: Node, texts: tuple[Text, ...] = ()) -> None:
        words = [p["String"].get("sval", "") for p in parts or () if "String" in p]
        if words:
            place = self._offset(max(0, int(body.get("location", 0))))
            into.append(Name(words[-2] if len(words) > 1 else None, words[-1], place, texts))


def _targets(body: Node) -> Iterator[str]:
    for target in body.get("targetList", ()):
        name = target.get("ResTarget", {}).get("name")
        if name:
            yield str(name)
