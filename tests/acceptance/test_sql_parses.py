"""What is emitted is SQL by PostgreSQL's own grammar, down to the bodies of functions and DO blocks."""

from __future__ import annotations

import re

import pytest
from pglast import parse_plpgsql, parse_sql, scan
from pglast.ast import CreateFunctionStmt, DoStmt, RawStmt, TransactionStmt

from acceptance.cases import CASES, Case

every_case = pytest.mark.parametrize("case", CASES, ids=str)
_QUOTED = {"SCONST", "USCONST", "BCONST", "XCONST", "SQL_COMMENT", "C_COMMENT"}


@every_case
def test_emitted_sql_parses_and_opens_no_transaction(case: Case) -> None:
    statements = [raw.stmt for raw in parse_sql(case.sql)]
    assert statements
    assert not [s for s in statements if isinstance(s, TransactionStmt)]


@every_case
def test_every_body_in_plpgsql_parses(case: Case) -> None:
    bodies = [_text(raw, case.sql) for raw in parse_sql(case.sql) if _is_plpgsql(raw)]
    assert len(bodies) > 10
    for body in bodies:
        assert parse_plpgsql(as_the_parser_can_read_it(body))


def as_the_parser_can_read_it(body: str) -> str:
    """The parser stands outside of a server: it knows types of `public` only, and no block label of a function."""
    if named := re.search(r"function orchestra\.(\w+)", body):
        body = body.replace(f" {named[1]}.", " ")
    return body.replace("orchestra.", "public.")


@every_case
def test_no_backslash_is_left_that_psql_would_take_for_a_command(case: Case) -> None:
    quoted = [(token.start, token.end) for token in scan(case.sql) if token.name in _QUOTED]
    outside, at = "", 0
    for start, end in quoted:
        outside, at = outside + case.sql[at:start], end + 1
    assert "\\" not in outside + case.sql[at:]


def _is_plpgsql(raw: RawStmt) -> bool:
    match raw.stmt:
        case CreateFunctionStmt(options=options):
            return any(o.defname == "language" and o.arg.sval == "plpgsql" for o in options)
        case DoStmt():
            return True
        case _:
            return False


def _text(raw: RawStmt, sql: str) -> str:
    end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(sql)
    return sql[raw.stmt_location : end]
