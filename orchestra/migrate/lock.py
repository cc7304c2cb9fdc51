"""The lock file: which migrations were written, and what a database holds that has run them all.

`schemas/lock.v1.schema.json` is its shape. It is written for review: one field a line, addresses in order, so that two
branches that change one workload meet in a conflict, and two that both add a migration do as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from orchestra import runtime
from orchestra.errors import OrchestraError, VersionError
from orchestra.ir.program import Address, Json, Resource
from orchestra.ir.sql import canonical_json
from orchestra.kinds import BY_NAME

FORMAT_VERSION: Final = 1
_CONFLICT: Final = ("<<<<<<< ", "=======\n", ">>>>>>> ")
MERGED: Final = (
    "two branches both added a migration: take the lock of the branch that you merge into, remove the migrations that "
    "only yours has, and run orchestra migrate again (see docs/migrations.md)"
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One that was written: its file's name, the hash of its text, and of the state after it."""

    file: str
    sha256: str
    state: str


@dataclass(frozen=True, slots=True)
class Lock:
    """`resources` are those that the migrations bring about, by address; requirements, secrets and the files of Edge
    Functions are none of them."""

    project: str
    migrations: tuple[Migration, ...] = ()
    resources: Mapping[Address, Resource] | None = None

    @property
    def state(self) -> dict[Address, Resource]:
        return dict(self.resources or {})


def name_of(project: str) -> str:
    """The file beside `migrations/`: several projects may share the folder, each with a lock of its own."""
    return f"orchestra.{project}.lock.json"


def text_hash(text: str) -> str:
    """Of a file as git may give it back: line ends do not count."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def state_hash(resources: Iterable[Resource]) -> str:
    """16 hexadecimal digits of all of them together."""
    values: dict[str, Json] = {str(r.address): r.written() for r in resources}
    return hashlib.sha256(canonical_json(values).encode()).hexdigest()[:16]


def dump(lock: Lock) -> str:
    """The text of the file, ASCII only, the same for the same lock."""
    document = {
        "format_version": FORMAT_VERSION,
        "project": lock.project,
        "migrations": [{"file": m.file, "sha256": m.sha256, "state": m.state} for m in lock.migrations],
        "resources": {
            str(address): json.loads(canonical_json(resource.written()))
            for address, resource in sorted(lock.state.items())
        },
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def load(text: str, project: str, shown: str) -> Lock:
    """What `dump` wrote; `shown` is the file's name in messages.

    Raises OrchestraError for what is broken, in conflict, edited or another project's, VersionError for what a newer
    orchestra wrote.
    """
    if all(mark in text.replace("\r\n", "\n") for mark in _CONFLICT):
        raise OrchestraError(f"{shown} holds a conflict of git", MERGED)
    document = _document(text, shown)
    version = document.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise VersionError(
            f"{shown} has format {version}, and this orchestra reads {FORMAT_VERSION}",
            "use the orchestra that wrote the last migration, or a newer one",
        )
    if version != FORMAT_VERSION or isinstance(version, bool):
        _broken(shown, f"format_version is {json.dumps(version)}")
    if document.get("project") != project:
        raise OrchestraError(
            f"{shown} belongs to project {document.get('project')}, and the spec is that of {project}",
            "the name of the file tells whose it is: put it back under its own name",
        )
    migrations = tuple(_migration(m, shown) for m in _of(list, document, "migrations", shown))
    resources = dict(_resource(a, v, shown) for a, v in _of(dict, document, "resources", shown).items())
    if len({m.file for m in migrations}) < len(migrations):
        _broken(shown, "a migration stands in it twice")
    if list(migrations) != sorted(migrations, key=lambda m: m.file):
        _broken(shown, "its migrations are not in the order in which they run", MERGED)
    if not migrations or migrations[-1].state != state_hash(resources.values()):
        _broken(shown, "its resources are not those of its last migration: it was edited or merged", MERGED)
    return Lock(project, migrations, resources)


def _document(text: str, shown: str) -> dict[str, Any]:
    try:
        document = json.loads(text, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        _broken(shown, f"it is not JSON: {error}")
    if not isinstance(document, dict):
        _broken(shown, "it is no object")
    return document


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands in it twice")
    return found


def _of(wanted: type, document: Mapping[str, Any], name: str, shown: str) -> Any:
    found = document.get(name)
    if not isinstance(found, wanted):
        _broken(shown, f"it has no {name}")
    return found


def _migration(item: Any, shown: str) -> Migration:
    names = ("file", "sha256", "state")
    if not isinstance(item, dict) or not all(isinstance(item.get(name), str) for name in names):
        _broken(shown, "a migration has no file, sha256 or state")
    return Migration(*(item[name] for name in names))


def _resource(text: str, values: Any, shown: str) -> tuple[Address, Resource]:
    address = Address.parse(text)
    kind = BY_NAME.get(address.kind)
    if kind is None or not address.name or not isinstance(values, dict):
        _broken(shown, f"{text} is no resource of this orchestra")
    try:
        resource = kind.resource.of(address.name, values)
    except TypeError:
        _broken(shown, f"{text} lacks a field")
    version = values.get("version")
    if kind.name == "runtime" and isinstance(version, int) and version > runtime.VERSION:
        raise VersionError(
            f"{shown} speaks of version {version} of the runtime, and this orchestra brings {runtime.VERSION}",
            "use the orchestra that wrote the last migration, or a newer one",
        )
    return address, resource


def _broken(shown: str, why: str, remedy: str = "") -> NoReturn:
    raise OrchestraError(
        f"{shown} cannot be used: {why}",
        remedy or "take it from git again, as it was with its last migration",
    )
