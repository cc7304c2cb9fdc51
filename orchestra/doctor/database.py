"""All that a database and its surroundings say, put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestra.doctor import connection, extensions, functions, health, jobs, project, server
from orchestra.doctor.ask import Facts
from orchestra.doctor.knock import Reply
from orchestra.doctor.model import Check
from orchestra.doctor.needs import Needs
from orchestra.live.address import Address, address
from orchestra.plan.identity import Meant
from orchestra.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is known of the database before it is asked. An empty `environment` is whichever it holds."""

    meant: Meant = field(default_factory=Meant)
    environment: str = ""
    projects: tuple[str, ...] = ()
    supabase: bool = False


def checks(
    url: str,
    facts: Facts,
    needs: Needs,
    meaning: Meaning,
    plans: Sequence[Plan],
    replies: Sequence[Reply],
    moments: Sequence[datetime],
) -> Iterator[Check]:
    yield from connection.connected(url, facts, needs.extensions)
    where = address(facts.keywords)
    yield from identity(where, meaning, needs)
    if facts.server is not None:
        planned = {p.project for p in plans}
        for name in meaning.projects or (None,):
            yield from project.recorded(facts, name, meaning.environment, planned=name in planned)
        yield from project.function_url(facts, needs.function_url or "", meaning.meant, where)
    yield from server.checks(facts)
    yield from server.zones(facts, needs.zones, moments)
    yield from server.runtime_version(facts)
    yield from server.locks(facts, plans)
    yield from extensions.checks(facts, needs.extensions)
    yield from jobs.checks(facts, needs.busiest, wanted=needs.jobs)
    yield from functions.secrets(facts, needs.secrets)
    yield from functions.calls(facts, wanted=needs.calls)
    yield from functions.reached(replies)
    yield from health.checks(facts)


def identity(where: Address, meaning: Meaning, needs: Needs) -> Iterator[Check]:
    """By the address alone."""
    return project.reference(
        meaning.meant,
        where,
        meaning.environment,
        supabase=meaning.supabase,
        functions=bool(needs.functions),
    )
