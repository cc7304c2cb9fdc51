"""A function, type or operator that an empty search path does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.sql import Name
from orchestra.sql.builtins import FUNCTIONS, OPERATORS, RELATIONS, TYPES

_TYPES: Final = TYPES | RELATIONS


def check(facts: Facts) -> Iterator[Finding]:
    for sql in facts.sql:
        if sql.handler.search_path:
            continue
        found = sql.inspection
        for what, names, known in (
            ("function", found.functions, FUNCTIONS),
            ("type", found.types, _TYPES),
            ("operator", found.operators, OPERATORS),
        ):
            for name in _foreign(names, known):
                yield Finding(
                    sql.at(name.offset),
                    f"the {what} `{name}` is not PostgreSQL's own, and the search path is empty",
                    _help(what, name.name),
                )


def _foreign(names: Iterable[Name], known: frozenset[str]) -> list[Name]:
    return [n for n in names if n.schema is None and n.name not in known]


def _help(what: str, name: str) -> str:
    qualified = f"operator(extensions.{name})" if what == "operator" else f"extensions.{name}"
    return f"Write `{qualified}` (or its own schema), or `run.search_path: [extensions]`."


RULE = Rule(
    code="E315",
    title="A SQL handler uses a name that an empty search path does not hold",
    why=(
        "Only what PostgreSQL brings along is found without a schema; extensions and the app's own functions "
        "are not, and the statement fails at every run."
    ),
    bad="""\
version: 1
project: shop
workloads:
  dedupe:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select app.merge((:payload->>'email')::citext)"} # <-- E315
""",
    good="""\
version: 1
project: shop
workloads:
  dedupe:
    trigger: manual
    duration: {max: 5s}
    run:
      sql: "select app.merge((:payload->>'email')::citext)"
      search_path: [extensions]
""",
    check=check,
    judgement=True,
)
