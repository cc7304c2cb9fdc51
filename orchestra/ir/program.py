"""The language that desired and live state share: resources with an address and flat fields, and a Program of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, Final, NamedTuple, Self, TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


class Address(NamedTuple):
    """What a plan calls a resource: `queue.bulk-import`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.name}"

    @classmethod
    def parse(cls, text: str) -> Address:
        kind, _, name = text.partition(".")
        return cls(kind, name)


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that a project has in its database. `key` is the part of its address after the kind.

    Every further field of a subclass is a scalar, a tuple of them, or JSON text; equality of all fields is what
    "no change" means.
    """

    kind: ClassVar[str]
    key: str

    @property
    def object_name(self) -> str:
        """What the database calls it; the registry knows it by kind and this name."""
        return self.key

    @property
    def address(self) -> Address:
        return Address(self.kind, self.key)

    def values(self) -> dict[str, Json]:
        """The fields without the key, as JSON: what the registry records and the plan compares."""
        return {name: _json(getattr(self, name)) for name in _defaults(type(self))}

    def written(self) -> dict[str, Json]:
        """`values` without those that are the default of their field: `of` brings them back."""
        defaults = _defaults(type(self)).items()
        return {n: _json(v) for n, default in defaults if (v := getattr(self, n)) != default}

    @classmethod
    def of(cls, key: str, values: Mapping[str, Json]) -> Self:
        """Build from what `values` gave; unknown names are dropped, so that an older record still reads."""
        known = _defaults(cls)
        return cls(key, **{k: _frozen(v) for k, v in values.items() if k in known})


def _defaults(cls: type[Resource]) -> Mapping[str, object]:
    """Every field but the key, with its default; looked up once a class, as it is asked for with every resource."""
    if (found := _DEFAULTS.get(cls)) is None:
        found = _DEFAULTS[cls] = {f.name: f.default for f in fields(cls) if f.name != "key"}
    return found


_DEFAULTS: Final[dict[type[Resource], Mapping[str, object]]] = {}


def _json(value: object) -> Json:
    return list(value) if isinstance(value, tuple) else value  # type: ignore[return-value]


def _frozen(value: Json) -> object:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Program:
    """All resources of one project, by address, in the order in which they are made."""

    project: str
    resources: Mapping[Address, Resource]

    @classmethod
    def of(cls, project: str, resources: Iterable[Resource]) -> Program:
        return cls(project, {r.address: r for r in resources})

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources.values())

    def __len__(self) -> int:
        return len(self.resources)

    def get(self, address: Address) -> Resource | None:
        return self.resources.get(address)
