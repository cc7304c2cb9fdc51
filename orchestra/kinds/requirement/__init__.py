"""`requirement.NAME`: something that must hold in the live database before anything changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from orchestra.ir.program import Resource
from orchestra.ir.sql import dollar, ident, literal
from orchestra.kinds.kind import Kind, Server
from orchestra.spec.model import Spec

_VERSION = re.compile(r"^(>=)?\s*(\d+(?:\.\d+)*)$")


@dataclass(frozen=True, slots=True)
class Requirement(Resource):
    """Exactly one of `sql`, `relation` and `extension` is set; `version` goes with the last (`>=1.4.4`)."""

    kind: ClassVar[str] = "requirement"
    sql: str | None = None
    relation: str | None = None
    extension: str | None = None
    version: str | None = None


def lower(spec: Spec) -> Iterator[Requirement]:
    for r in spec.requires:
        yield Requirement(r.name, r.sql, r.relation, r.extension, r.version)


def condition(requirement: Requirement) -> str:
    """A boolean SQL expression that is true where the requirement holds."""
    if requirement.sql is not None:
        # On lines of its own: it may end in a comment.
        return f"coalesce((\n{requirement.sql.strip().rstrip(';')}\n), false)"
    if requirement.relation is not None:
        # Exactly as PostgreSQL stores it: nothing is folded to lower case.
        name = ident(*requirement.relation.split(".", 1))
        return f"to_regclass({literal(name)}) is not null"
    name = literal(requirement.extension or "")
    found = (
        f"select coalesce((select extversion from pg_catalog.pg_extension where extname = {name}), "
        f"(select default_version from pg_catalog.pg_available_extensions where name = {name}))"
    )
    match = _VERSION.match(requirement.version or "")
    if match is None:
        holds = f"({found}) is not null"
    else:
        wanted = "array[" + ", ".join(match[2].split(".")) + "]::int[]"
        comparison = ">=" if match[1] else "="
        digits = f"regexp_replace(({found}), '[^0-9.].*$', '')"
        holds = f"coalesce(string_to_array({digits}, '.')::int[] {comparison} {wanted}, false)"
    if requirement.extension == "pgmq":
        # Installed as plain SQL it has no version; its capabilities are told by its catalogue. Where the server has
        # none to offer, installing that SQL is a change of the very plan.
        holds = (
            f"({holds} or to_regclass('pgmq.meta') is not null or not exists "
            f"(select from pg_catalog.pg_available_extensions where name = {name}))"
        )
    return holds


def describe(requirement: Requirement) -> str:
    """What is required, in words."""
    if requirement.sql is not None:
        return f"this check to be true: {requirement.sql.strip()}"
    if requirement.relation is not None:
        return f"the relation {requirement.relation}"
    return f"the extension {requirement.extension} {requirement.version or ''}".strip()


def ensure(requirement: Requirement, project: str, server: Server) -> tuple[str, ...]:
    body = (
        f"\nbegin\n  if not ({condition(requirement)}) then\n"
        f"    raise exception {literal(f'requirement {requirement.key} does not hold')}\n"
        f"      using detail = {literal(f'{project} needs {describe(requirement)}')};\n"
        "  end if;\nend\n"
    )
    return (f"do {dollar(body, 'orchestra')}",)


KIND = Kind("requirement", Requirement, ensure, owned=False, plural="requirements")
