"""Doctor's round: each part is asked as far as the one before it allows, and none ends the others."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestra.cli.database import Chosen
from orchestra.cli.units import Unit
from orchestra.errors import OrchestraError, UsageError

if TYPE_CHECKING:
    from orchestra.cli.specs import Reading
    from orchestra.doctor.ask import Facts
    from orchestra.doctor.knock import Reply
    from orchestra.doctor.machine import Machine
    from orchestra.doctor.model import Check, Diagnosis
    from orchestra.doctor.needs import Needs
    from orchestra.plan.model import Plan
    from orchestra.spec.model import Spec

_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Where:
    """What was said of the database; `network`: functions may be asked."""

    db: str | None
    environment: str | None
    network: bool


def examine(paths: Sequence[Path], where: Where) -> Diagnosis:
    from orchestra.doctor import machine
    from orchestra.doctor.model import Diagnosis
    from orchestra.doctor.needs import needs_of
    from orchestra.doctor.turns import turns

    readings, found = _readings(paths)
    specs = [r.spec for r in readings if r.spec is not None]
    sound = [r.spec for r in readings if r.spec is not None and not r.has_errors]
    needs = needs_of(sound)
    checks = [*machine.checks(_machine(), functions=bool(needs.functions)), *found]
    seen, there = _database(readings, specs, sound, needs, where)
    return Diagnosis((*checks, *seen), turns(specs, there))


def _readings(paths: Sequence[Path]) -> tuple[Sequence[Reading], list[Check]]:
    from orchestra.cli.specs import read_all
    from orchestra.doctor import spec

    try:
        readings = read_all(paths)
    except OrchestraError as error:
        return (), [spec.none_found(error.message)]
    return readings, [spec.checked(" ".join(map(str, r.paths)), r.spec, r.findings) for r in readings]


def _machine() -> Machine:
    from orchestra.dev.binaries import tool
    from orchestra.dev.edge.deno import find_deno
    from orchestra.doctor.machine import Machine

    git = shutil.which("git")
    return Machine(
        platform.python_version(),
        _version([git, "--version"], "git version ") if git else None,
        _tool(lambda: str(find_deno()), "deno "),
        _tool(lambda: tool("postgres"), "postgres (PostgreSQL) "),
    )


def _tool(find: Any, prefix: str) -> tuple[str, str]:
    try:
        path = find()
    except OrchestraError as error:
        return "", error.message
    version = _version([path, "--version"], prefix)
    return (version, "") if version else ("", f"{path} does not run")


def _version(command: Sequence[str], prefix: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError, ValueError):
        return ""
    lines = done.stdout.splitlines() or [""]
    return lines[0].removeprefix(prefix).partition(" (")[0].strip()


def _database(
    readings: Sequence[Reading], specs: Sequence[Spec], sound: Sequence[Spec], needs: Needs, where: Where
) -> tuple[list[Check], frozenset[str] | None]:
    """What was found, and the projects that are there; None: nobody could ask."""
    from orchestra.cli import linked
    from orchestra.cli.database import choose, home_of
    from orchestra.doctor import connection, database
    from orchestra.live.address import NOWHERE, address
    from orchestra.live.connect import connect, keywords

    spec = specs[0] if specs else None
    paths = [p for r in readings for p in r.paths]
    meaning = database.Meaning(
        linked.meant(spec, where.environment, home_of(paths)),
        where.environment or ("default" if sound else ""),
        tuple(s.project for s in specs),
        any(s.platform.provider == "supabase" for s in specs),
    )
    try:
        chosen = choose(where.db, where.environment, spec, paths, make=False, prove=False)
    except OrchestraError as error:
        linked_only = replace(meaning, meant=replace(meaning.meant, project_ref=None))
        rest = database.identity(NOWHERE, linked_only, needs)
        return [connection.unreachable(error.message, error.remedy), *rest], None
    at = address(keywords(chosen.url))
    if meaning.meant.elsewhere(at, meaning.environment) is not None:
        return [connection.elsewhere(), *database.identity(at, meaning, needs)], None
    try:
        held = connect(chosen.url)
    except OrchestraError as error:
        said = [connection.unreachable(error.message, error.remedy), *_ipv6(chosen.url, at)]
        return [*said, *database.identity(at, meaning, needs)], None
    try:
        moments = _moments()
        facts = _facts(held, needs, moments)
        found = list(_connected(held, chosen, facts, readings, sound, needs, meaning, where, moments))
    finally:
        held.close()
    return found, facts.projects


def _moments() -> Sequence[datetime]:
    from orchestra.doctor.needs import moments

    return moments(datetime.now(UTC))


def _facts(held: Any, needs: Needs, moments: Sequence[datetime]) -> Facts:
    from orchestra.doctor.ask import ask

    return ask(
        held,
        vault=[s.object_name for s in needs.secrets],
        function_url=needs.function_url,
        zones=needs.zones,
        moments=moments,
        now=lambda: datetime.now(UTC),
    )


def _connected(
    held: Any,
    chosen: Chosen,
    facts: Facts,
    readings: Sequence[Reading],
    sound: Sequence[Spec],
    needs: Needs,
    meaning: Any,
    where: Where,
    moments: Sequence[datetime],
) -> Iterator[Check]:
    from orchestra.doctor import database, plans

    made: list[Plan] = []
    refused: list[Check] = []
    able = facts.server is not None and facts.sight is not None and facts.sight.fault() is None
    units = _units(readings)
    for number, unit in enumerate(units):
        if unit.spec not in sound:
            refused.append(plans.unplanned(unit.spec.project, "its spec has errors"))
        elif not able:
            refused.append(plans.unplanned(unit.spec.project, "the database could not be read"))
        else:
            try:
                made.append(_plan(held, chosen, units, number, where))
            except OrchestraError as error:
                refused.append(plans.refused(unit.spec.project, error.message, error.remedy))
    replies = _replies(facts, needs) if where.network else ()
    yield from database.checks(chosen.url, facts, needs, meaning, made, replies, moments)
    yield from refused
    for plan in made:
        yield from plans.checks(plan)


def _units(readings: Sequence[Reading]) -> tuple[Unit, ...]:
    """In order; those of a circle have none, and keep theirs."""
    from orchestra.check.units import ordered

    found = {r.spec.project: Unit(r.paths, r.spec) for r in readings if r.spec is not None}
    order, _ = ordered([unit.spec for unit in found.values()])
    names = dict.fromkeys([*(s.project for s in order), *found])
    return tuple(found[name] for name in names)


def _plan(held: Any, chosen: Chosen, units: Sequence[Unit], number: int, where: Where) -> Plan:
    """Against the connection that is open; those before it count as applied."""
    from orchestra import pipeline
    from orchestra.cli import environments, planning
    from orchestra.cli.several import before

    unit = units[number]
    if number and where.environment is not None and where.db is None:
        own = environments.one(unit.spec, where.environment)
        if own.url != chosen.url:
            raise UsageError(
                f"its environment {where.environment} is another database, by {own.variable}",
                "look at it by itself",
            )
    wanted = planning.options(chosen, specs=unit.paths)
    return pipeline.plan(held, unit.spec, replace(wanted, beside=before(units, number)))


def _replies(facts: Facts, needs: Needs) -> Sequence[Reply]:
    from orchestra.doctor.knock import knock

    url = facts.of("function_url").value
    return knock(url, needs.functions) if isinstance(url, str) and needs.functions else ()


def _ipv6(url: str, address: Any) -> Iterator[Check]:
    from orchestra.doctor import connection
    from orchestra.doctor.network import only_by_ipv6
    from orchestra.live.connect import keywords

    host = keywords(url).get("host", "")
    if "direct" in address.way.value and only_by_ipv6(host):
        yield connection.only_ipv6(address.ref)
