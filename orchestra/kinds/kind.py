"""What every kind of resource answers: how it is made and removed, how it is read back, what its changes mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from orchestra.ir.category import Category
from orchestra.ir.program import Resource


@dataclass(frozen=True, slots=True)
class Server:
    """What a statement may depend on in the server it is for: only whether pgmq comes as an extension there."""

    pgmq_extension: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource.

    `ensure` gives idempotent statements that bring the resource about from any earlier state of its own;
    `remove` those that take it away. `read` is a query with columns `name text, values jsonb, extra jsonb`,
    filtered by `%(project)s` and `%(names)s`; it runs only where all relations of `needs` exist.
    `categories` gives a field's category (BEHAVIOUR where it is not named). Fields in `replaced_by` cannot change in
    place. Fields in `operator` may be turned by hand in an incident and are then left alone. `locks` is how many
    locks making one of them holds until commit.
    """

    name: str
    resource: type[Resource]
    ensure: Callable[[Any, str, Server], tuple[str, ...]]
    remove: Callable[[Any, str], tuple[str, ...]] | None = None
    read: str | None = None
    needs: tuple[str, ...] = ()
    bare_read: str | None = None
    """The same where only the first of `needs` exists."""
    categories: Mapping[str, Category] = field(default_factory=dict)
    replaced_by: frozenset[str] = frozenset()
    operator: frozenset[str] = frozenset()
    kept_when_unset: frozenset[str] = frozenset()
    """Fields for which None in the spec keeps what the database says."""
    locks: int = 2
    owned: bool = True
    """Whether the registry records it and a missing address means that it is to be removed."""
    plural: str = ""
    silent: str = "only its presence is checked"
    """Why there is nothing to run for one, where there is not."""

    def category(self, path: str) -> Category:
        return Category.METADATA if path == "accepted" else self.categories.get(path, Category.BEHAVIOUR)


def read_sql(package: str, name: str = "read.sql") -> str:
    """The query that lies beside a kind's module."""
    return files(package).joinpath(name).read_text(encoding="utf-8")
