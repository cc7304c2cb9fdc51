"""Statements of a plan's apply that would fail, or do harm, where they have been run already: made to run once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from orchestra.ir.program import Address, Json, Resource
from orchestra.ir.sql import ident, literal, value
from orchestra.kinds.workload import Workload
from orchestra.migrate.filled import filled
from orchestra.migrate.guard import DIGEST, digest


def removal(project: str, resource: Resource, statements: Sequence[str]) -> str:
    """Takes a resource away where it is still ours and as the last migration left it."""
    condition = f"{_registered(project, resource.address)}\n      and {DIGEST} = {literal(digest(resource))}"
    return _once(condition, [_gently(resource, s) for s in statements])


def move(project: str, former: Address, statement: str) -> str:
    """Gives a row of the registry, and what is its own, to another address, unless it has it."""
    if former.kind == "project":
        return _once(
            f"select from orchestra.project p where p.project = {literal(former.name)}", [_plain(statement)]
        )
    return _once(_registered(project, former), [_plain(statement)])


def move_queue(project: str, address: Address, former: str, statement: str) -> str:
    """Moves a queue's messages to its new name, unless it has it."""
    condition = f"{_registered(project, address)} and r.name = {literal(former)}"
    return _once(condition, [_plain(statement)])


def inherit_job(former: str, statement: str) -> str:
    """Lets a job take the place of the former one, if that is still there."""
    condition = f"select from cron.job j where j.jobname = {literal(former)} and j.username = current_user"
    return _once(condition, [_plain(statement)])


def fewer_attempts(project: str, workload: Workload, queue: str, attempts: int) -> str:
    """Refuses where messages wait that have had as many attempts already: they would be given up next. `workload` is
    as it was, `queue` where its messages are by now."""
    return filled(
        "fewer_attempts.sql",
        registered=_registered(project, workload.address),
        digest=DIGEST,
        before=literal(digest(workload)),
        queue=literal(queue),
        relation=ident("pgmq", f"q_{queue}"),
        attempts=str(attempts),
        address=literal(str(workload.address)),
    )


def active(project: str, addresses: Iterable[Address]) -> str:
    """New jobs are active; one that was there already is what its operator made of it."""
    names: list[Json] = [str(a) for a in addresses]
    return filled("active.sql", project=literal(project), addresses=value(names))


def _registered(project: str, address: Address) -> str:
    return (
        f"select from orchestra.registry r\n    where r.project = {literal(project)} "
        f"and r.address = {literal(str(address))} and r.tombstoned_at is null"
    )


def _once(condition: str, statements: Iterable[str]) -> str:
    body = "\n".join(f"    {line}" for statement in statements for line in statement.splitlines())
    return filled("once.sql", condition=condition, body=body)


def _plain(statement: str) -> str:
    """As it stands in a block of PL/pgSQL, where a bare select has nowhere to put its rows."""
    return re.sub(r"^select ", "perform ", statement) + ";"


def _gently(resource: Resource, statement: str) -> str:
    """What somebody removed by hand is not there to be removed; and messages are told of in the words of migrations."""
    line = _plain(statement)
    if line.startswith(("perform orchestra.drop_queue(", "perform orchestra.archive_queue(")):
        line = _unless_messages(resource, line)
    if line.startswith(("perform cron.unschedule(", "begin\n", "drop trigger ")):
        there = f"orchestra.object_exists({literal(resource.kind)}, {literal(resource.object_name)})"
        return f"if {there} then\n" + "\n".join(f"  {part}" for part in line.splitlines()) + "\nend if;"
    return line


def _unless_messages(resource: Resource, line: str) -> str:
    dropped = line.startswith("perform orchestra.drop_queue(")
    name, fate = resource.object_name, "would be lost" if dropped else "have to be worked off first"
    said = f"queue {name} holds messages, which {fate}"
    more = f"; or write it with --allow messages:{resource.address}" if dropped else ""
    archive = ", archive included," if dropped else ""
    hint = f"Nothing was changed. Let it drain{archive} and run this migration again{more}."
    return (
        f"begin\n  {line}\nexception when sqlstate 'ORC14' then\n"
        f"  raise exception '%', {literal(said)}\n    using errcode = 'ORC14', hint = {literal(hint)};\nend;"
    )
