"""A Program as one SQL text: the same bytes for the same Program, runnable by psql as it is, as often as one likes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from orchestra.ir.program import Address, Program, Resource
from orchestra.ir.sql import literal
from orchestra.kinds import BY_NAME, Server
from orchestra.kinds.ownership import claim

_FIRST: Final = "-- {project}: background work, compiled by orchestra {version} (sha256 {digest}).\n"
_MARK: Final = re.compile(
    r"-- (?P<project>\S+): background work, compiled by orchestra \S+ \(sha256 (?P<digest>[0-9a-f]{16})\)\.\n"
)
_HEAD: Final = """\
-- Do not edit: change the spec and compile again.
--
-- {counts}
--
-- Run it as the role that shall own the jobs; running it again changes nothing. It opens no transaction of its own:
-- give psql --single-transaction, or let a migration tool wrap it. A database built from this file alone starts
-- paused: `orchestra apply` opens the gate.
"""


@dataclass(frozen=True, slots=True)
class SqlMark:
    """Whose SQL a file holds; `intact`: nobody has changed it since."""

    project: str
    intact: bool


def mark_of_sql(text: str) -> SqlMark | None:
    """What the first line says; None for SQL that was not compiled here. Line ends do not count."""
    text = text.replace("\r\n", "\n")
    found = _MARK.match(text)
    if found is None:
        return None
    return SqlMark(found["project"], _digest(text[found.end() :]) == found["digest"])


def emit_sql(
    program: Program,
    *,
    version: str,
    notes: Mapping[Address, str] | None = None,
    composition: str = "",
) -> str:
    """One block an address, in the order in which they must run.

    `notes` are comments for single addresses. What has a new name is refused where it still has the former one.
    """
    blocks = [_HEAD.format(counts=_counts(program))]
    if composition:
        blocks[0] += f"--\n-- Its place: {_one_line(composition)}.\n"
    notes = notes or {}
    for address, resource in program.resources.items():
        if address.kind == "project":
            blocks += _moved(program)
        blocks.append(_block(address, resource, program.project, notes.get(address)))
    text = "\n".join(blocks)
    return _FIRST.format(project=program.project, version=version, digest=_digest(text)) + text


def _moved(program: Program) -> Iterator[str]:
    """Refusals of a database in which something still has its former name: to carry a rename out, somebody has to know
    what is there."""
    if program.former is not None:
        yield _refusal(
            "orchestra.project p where p.project = " + literal(program.former),
            f"project {program.former} is called {program.project} now",
        )
    for old, new in program.moved:
        yield _refusal(
            f"orchestra.registry r where r.project = {literal(program.project)} "
            f"and r.address = {literal('workload.' + old)} and r.tombstoned_at is null",
            f"workload {old} is called {new} now",
        )


def _refusal(found: str, said: str) -> str:
    hint = "Carry the rename out first: orchestra apply, or a migration of orchestra migrate."
    return (
        f"-- {_one_line(said)}\ndo $orchestra$\nbegin\n"
        f"  if exists (select from {found}) then\n"
        f"    raise exception {literal('%')}, {literal(said)} using hint = {literal(hint)};\n"
        "  end if;\nend\n$orchestra$;\n"
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _one_line(text: str) -> str:
    """As a comment may hold it: a line end would end the comment, and the rest would run."""
    return " ".join(text.split())


def _counts(program: Program) -> str:
    numbers: dict[str, int] = {}
    for resource in program:
        numbers[resource.kind] = numbers.get(resource.kind, 0) + 1
    return ", ".join(
        f"{n} {BY_NAME[kind].plural if n > 1 else kind.replace('_', ' ')}" for kind, n in numbers.items()
    )


def _block(address: Address, resource: Resource, project: str, note: str | None) -> str:
    head = f"-- {_one_line(str(address))}\n"
    if note:
        head += "".join([f"--   {line}\n" for line in note.splitlines()])
    statements = ";\n".join(statements_of(resource, project))
    if not statements:
        return f"{head}--   Nothing to run: {BY_NAME[resource.kind].silent}.\n"
    return f"{head}{statements};\n"


def statements_of(
    resource: Resource,
    project: str,
    server: Server = Server(),  # noqa: B008
    declared: Resource | None = None,
) -> Iterator[str]:
    """What brings a resource about, its claim first. Rendered here once, for `compile` and `apply` alike.

    `declared` is what the registry records where it is not the resource itself: what the spec says of a resource in
    which an operator's turn is kept.
    """
    kind = BY_NAME[resource.kind]
    if kind.owned:
        yield claim(declared or resource, project)
    yield from kind.ensure(resource, project, server)
