"""The environments of a spec as they are here: a fleet is one for each database that its variable holds."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.plan.identity import Meant
    from orchestra.spec.model import Environment, Spec

_MEMBER: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_LONGEST: Final = 63
_MOST: Final = 5
"""Names or lines that a message lists."""


@dataclass(frozen=True, slots=True)
class Place:
    """One environment, which has at most one database. `url` None: its variable is not set, or it names none."""

    name: str
    variable: str | None
    url: str | None = field(repr=False)
    protect: bool | None = None
    paused: bool = False
    approvals_required: bool = False
    meant: Meant | None = None
    """Of several at once: which Supabase project it has to be."""


def is_pattern(name: str) -> bool:
    """Whether it may stand for several environments: none of these characters can be in a name."""
    return any(c in name for c in "*?[")


def one(spec: Spec, name: str, *, look_up: bool = True) -> Place:
    """The environment of this name. UsageError where there is none. Without `look_up` only its settings matter, and
    the variable of a fleet is not read."""
    for environment in spec.environments:
        if environment.name == name:
            if environment.databases_env:
                raise UsageError(
                    f"{name} is a fleet of many databases, and one is needed here",
                    f"name one of them, {name}-…, or give plan and apply all of them: --env '{name}-*'",
                )
            return _place(environment)
    fleet = max(_fleets_of(spec, name), key=lambda e: len(e.name), default=None)
    if fleet is None:
        if is_pattern(name):
            raise UsageError(f"--env {name!r}: this command works on one environment", "name a single one")
        from orchestra.cli.specs import known_environment

        known_environment(spec, name)
        raise AssertionError(name)
    if not look_up:
        return _settings(fleet, name, fleet.databases_env, None)
    members = {place.name: place for place in _members(fleet)}
    if name not in members:
        raise UsageError(
            f"there is no {name} in {fleet.databases_env}", f"it has {_listed(list(members)) or 'none'}"
        )
    return members[name]


def names(spec: Spec) -> list[str]:
    """All of them, for completion; of a fleet whose variable cannot be read, a pattern for its members."""
    found: list[str] = []
    for environment in spec.environments:
        if environment.databases_env is None:
            found.append(environment.name)
            continue
        try:
            found += [place.name for place in _members(environment)]
        except UsageError:
            found.append(f"{environment.name}-*")
    return found


def matching(spec: Spec, patterns: Sequence[str]) -> tuple[Place, ...]:
    """The environments of all patterns, each once, in the order of the patterns and then of names.

    UsageError where a pattern matches nothing, where a variable is not set or cannot be read, and where two
    environments are one database: then nothing is begun.
    """
    found: dict[str, Place] = {}
    for pattern in patterns:
        if not is_pattern(pattern):
            found.setdefault(pattern, one(spec, pattern))
            continue
        places = sorted(_candidates(spec, pattern), key=lambda place: place.name)
        hits = [place for place in places if fnmatchcase(place.name, pattern)]
        if not hits:
            there = [e.name + ("-*" if e.databases_env else "") for e in spec.environments]
            names = _listed([p.name for p in places] or there)
            raise UsageError(f"--env {pattern!r} matches no environment", f"there is {names or 'none'}")
        for place in hits:
            found.setdefault(place.name, place)
    places = list(found.values())
    _refuse_unset(places)
    _refuse_shared(places)
    return tuple(_proved(spec, places))


def _proved(spec: Spec, places: Sequence[Place]) -> Iterator[Place]:
    """Each with the project that it has to be; BlockedError where a URL leads to another."""
    from orchestra.cli import linked

    for place in places:
        meant = linked.meant(spec, place.name, Path.cwd())
        linked.prove(meant, place.url or "", place.name)
        yield replace(place, meant=meant)


def _candidates(spec: Spec, pattern: str) -> Iterator[Place]:
    """What a pattern could match: every single environment, and the members of the fleets that it may be about."""
    literal = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    seen: dict[str, str] = {}
    for environment in spec.environments:
        prefix = f"{environment.name}-"
        if environment.databases_env is None:
            places = [_place(environment)]
        elif literal.startswith(prefix) or prefix.startswith(literal):
            places = list(_members(environment))
        else:
            continue
        for place in places:
            if place.name in seen:
                raise UsageError(
                    f"two environments are called {place.name}: one of {seen[place.name]}, one of {environment.name}",
                    "give one of them another name",
                )
            seen[place.name] = environment.name
            yield place


def _place(environment: Environment) -> Place:
    url = os.environ.get(environment.database_env or "") or None
    return _settings(environment, environment.name, environment.database_env, url)


def _fleets_of(spec: Spec, name: str) -> list[Environment]:
    return [
        e
        for e in spec.environments
        if e.databases_env and name.startswith(f"{e.name}-") and _MEMBER.fullmatch(name[len(e.name) + 1 :])
    ]


def _members(fleet: Environment) -> Iterator[Place]:
    """UsageError that names every line which cannot be read, and never what stands there: it may be a password."""
    variable = fleet.databases_env or ""
    text = os.environ.get(variable, "")
    if not text.strip():
        raise UsageError(
            f"environment {fleet.name!r} takes its databases from {variable}, which is not set",
            f"set {variable} to a name=URL a line, or to a JSON object of names and URLs",
        )
    faults: list[str] = []
    names: set[str] = set()
    for where, name, url in _entries(text, variable):
        whole = f"{fleet.name}-{name}"
        if not url:
            faults.append(f"{where} has no database URL")
        elif not _MEMBER.fullmatch(name) or len(whole) > _LONGEST:
            faults.append(f"{where} has no name of lower-case letters, digits, hyphens and underscores")
        elif name in names:
            faults.append(f"{where} has a name that stands there before")
        else:
            names.add(name)
            yield _settings(fleet, whole, variable, url)
    if faults:
        raise UsageError(
            f"{variable}: {'; '.join(faults[:_MOST])}"
            + (f"; and {len(faults) - _MOST} more" if faults[_MOST:] else ""),
            "write a name=URL a line, such as acme=postgresql://user:password@host:5432/database",
        )
    if not names:
        raise UsageError(f"{variable} holds no database", "write a name=URL a line")


def _entries(text: str, variable: str) -> Iterator[tuple[str, str, str]]:
    """Where it stands, the name, and the URL; empty where there is none."""
    if text.lstrip().startswith("{"):
        try:
            pairs = json.loads(text, object_pairs_hook=list)
        except (ValueError, RecursionError):
            raise UsageError(f"{variable} begins like JSON and is none", 'write {"name": "URL", …}') from None
        for number, (name, url) in enumerate(pairs, 1):
            yield f"entry {number}", str(name), _url(url) if isinstance(url, str) else ""
        return
    for number, line in enumerate(text.splitlines(), 1):
        if (line := line.strip()) and not line.startswith("#"):
            name, _, url = line.partition("=")
            yield f"line {number}", name.strip(), _url(url)


def _url(text: str) -> str:
    text = text.strip()
    return text if text.startswith(("postgres://", "postgresql://")) or "=" in text else ""


def _refuse_unset(places: Sequence[Place]) -> None:
    missing = [p for p in places if p.url is None]
    if not missing:
        return
    first = missing[0]
    if first.variable is None:
        raise UsageError(
            f"environment {first.name!r} names no database",
            "write `database: {env: NAME}` in the spec, or leave it out of --env",
        )
    names = _listed([str(p.variable or p.name) for p in missing])
    raise UsageError(
        f"environment {first.name!r} takes its database from {first.variable}, which is not set"
        + (f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""),
        f"set {names} to the URL of the database",
    )


def _refuse_shared(places: Sequence[Place]) -> None:
    """Two environments in one database would undo each other, as rule E208 says of variables."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    seen: dict[tuple[str, ...], str] = {}
    for place in places:
        try:
            parts = conninfo_to_dict(place.url or "")
        except ProgrammingError:
            raise UsageError(
                f"the URL of {place.name}, from {place.variable}, cannot be read",
                "write it as postgresql://user:password@host:5432/database",
            ) from None
        keys = ("host", "hostaddr", "port", "dbname", "user", "service")
        key = tuple(str(parts.get(k, "")) for k in keys)
        if key in seen:
            raise UsageError(
                f"{seen[key]} and {place.name} are the same database", "give each environment one of its own"
            )
        seen[key] = place.name


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST + 1 else ""
    return ", ".join(names[: _MOST if more else _MOST + 1]) + more


def _settings(of: Environment, name: str, variable: str | None, url: str | None) -> Place:
    """With what the spec says of the environment, or of the fleet that it is one of."""
    return Place(name, variable, url, of.protect, of.paused, of.approvals_required)
