"""`requirement.NAME`: something that must hold in the live database before anything changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from orchestra.ir.program import Resource
from orchestra.ir.sql import dollar, ident, literal
from orchestra.kinds.extension import carried_pgmq
from orchestra.kinds.kind import Kind, Server, read_sql
from orchestra.spec.model import Spec

_VERSION = re.compile(r"^(>=|>|=)? ?(\d+(?:\.\d+)*)$")
_MADE_BY_US: Final = frozenset({"pgmq", "pg_cron"})
_PLAIN_PGMQ: Final = read_sql(__name__, "plain_pgmq.sql").strip()
"""Installed as plain SQL it has no version; what it can do tells the least that it is."""


@dataclass(frozen=True, slots=True)
class Requirement(Resource):
    """Exactly one of `sql`, `relation`, `extension` and `project` is set; `version` (`>=1.4.4`) goes with an extension,
    one of `workload` and `queue` with another project of the same database."""

    kind: ClassVar[str] = "requirement"
    sql: str | None = None
    relation: str | None = None
    extension: str | None = None
    version: str | None = None
    project: str | None = None
    workload: str | None = None
    queue: str | None = None


def lower(spec: Spec) -> Iterator[Requirement]:
    for r in spec.requires:
        yield Requirement(r.name, r.sql, r.relation, r.extension, r.version, r.project, r.workload, r.queue)


def condition(requirement: Requirement) -> str:
    """A boolean SQL expression that is true where the requirement holds."""
    if requirement.sql is not None:
        # On lines of its own: it may end in a comment.
        return f"coalesce((\n{requirement.sql.strip().rstrip(';')}\n), false)"
    if requirement.relation is not None:
        # Exactly as PostgreSQL stores it: nothing is folded to lower case.
        name = ident(*requirement.relation.split(".", 1))
        return f"to_regclass({literal(name)}) is not null"
    if requirement.project is not None:
        return _project_condition(requirement)
    return _extension_condition(requirement.extension or "", requirement.version)


def _project_condition(requirement: Requirement) -> str:
    """Fails to run where orchestra has never been; `ensure` looks for its tables first."""
    project = literal(requirement.project or "")
    if requirement.workload is None and requirement.queue is None:
        return f"exists (select from orchestra.project p where p.project = {project})"
    kind, column, name = (
        ("workload", "r.address", f"workload.{requirement.workload}")
        if requirement.workload is not None
        else ("queue", "r.name", requirement.queue or "")
    )
    return (
        f"exists (select from orchestra.registry r where r.project = {project} and r.kind = {literal(kind)} "
        f"and {column} = {literal(name)} and r.tombstoned_at is null)"
    )


def _extension_condition(extension: str, version: str | None) -> str:
    name = literal(extension)
    found = f"(select extversion from pg_catalog.pg_extension where extname = {name})"
    if extension in _MADE_BY_US:
        # What is missing is made by the very plan, in the version that the server offers.
        offered = f"(select default_version from pg_catalog.pg_available_extensions where name = {name})"
        plain = (_PLAIN_PGMQ,) if extension == "pgmq" else ()
        carried = (literal(carried_pgmq()),) if extension == "pgmq" else ()
        found = f"coalesce({', '.join((found, *plain, offered, *carried))})"
    match = _VERSION.match(version or "")
    if match is None:
        return f"{found} is not null"
    # pg_cron calls all of 1.6.x just 1.6: zeros at the end say nothing.
    digits = re.sub(r"(\.0)+$", "", match[2])
    wanted = "array[" + ", ".join(digits.split(".")) + "]::int[]"
    have = f"string_to_array(regexp_replace({found}, '[^0-9.].*$|([.]0)+$', ''), '.')::int[]"
    return f"coalesce({have} {match[1] or '='} {wanted}, false)"


def describe(requirement: Requirement) -> str:
    """What is required, in words."""
    if requirement.sql is not None:
        return f"this check to be true: {requirement.sql.strip()}"
    if requirement.relation is not None:
        return f"the relation {requirement.relation}"
    if requirement.project is not None:
        what = next((f"{kind} {name} of " for kind, name in _of_project(requirement)), "")
        return f"{what}project {requirement.project} in this database"
    return f"the extension {requirement.extension} {requirement.version or ''}".strip()


def _of_project(requirement: Requirement) -> Iterator[tuple[str, str]]:
    for kind, name in (("workload", requirement.workload), ("queue", requirement.queue)):
        if name is not None:
            yield kind, name


def remedy(requirement: Requirement) -> str:
    """What makes it hold, where there is a word for it."""
    return f"apply {requirement.project} first" if requirement.project is not None else ""


def ensure(requirement: Requirement, project: str, server: Server) -> tuple[str, ...]:
    refused = (
        f"    raise exception '%', {literal(f'requirement {requirement.key} does not hold')}\n"
        f"      using detail = {literal(f'{project} needs {describe(requirement)}')};\n"
        "  end if;\n"
    )
    # Of its own, before the other is parsed: that one reads tables which may not be there.
    there = (
        f"  if to_regclass('orchestra.registry') is null then\n{refused}"
        if requirement.project is not None
        else ""
    )
    body = f"\nbegin\n{there}  if not ({condition(requirement)}) then\n{refused}end\n"
    return (f"do {dollar(body, 'orchestra')}",)


KIND = Kind("requirement", Requirement, ensure, owned=False, plural="requirements")
