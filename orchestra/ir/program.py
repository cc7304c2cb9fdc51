"""The language that desired and live state share: resources with an address and flat fields, and a Program of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from operator import attrgetter
from typing import Any, ClassVar, Final, NamedTuple, Self, TypeAlias

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
        shape = _shape(type(self))
        rows = zip(shape.names, shape.of(self), strict=True)
        return {name: list(v) if v.__class__ is tuple else v for name, v in rows}

    def written(self) -> dict[str, Json]:
        """`values` without those that are the default of their field: `of` brings them back."""
        shape = _shape(type(self))
        rows = zip(shape.names, shape.of(self), shape.defaults, strict=True)
        return {name: list(v) if v.__class__ is tuple else v for name, v, default in rows if v != default}

    @classmethod
    def defaults(cls) -> dict[str, Json]:
        """The fields that need not be given, as they are then."""
        shape = _shape(cls)
        rows = zip(shape.names, shape.defaults, strict=True)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in rows if v is not MISSING}  # type: ignore[misc]

    @classmethod
    def of(cls, key: str, values: Mapping[str, Json]) -> Self:
        """Build from what `values` gave; unknown names are dropped, so that an older record still reads."""
        known = _shape(cls).names
        return cls(key, **{k: _frozen(v) for k, v in values.items() if k in known})


class _Shape(NamedTuple):
    """Every field of a class but the key, with its default, and what reads them all from a resource at once."""

    names: tuple[str, ...]
    defaults: tuple[object, ...]
    of: Callable[[Resource], tuple[Any, ...]]


def _shape(cls: type[Resource]) -> _Shape:
    """Looked up once a class, as it is asked for with every resource."""
    if (known := _SHAPES.get(cls)) is not None:
        return known
    found = [f for f in fields(cls) if f.name != "key"]
    names = tuple(f.name for f in found)
    # attrgetter gives a tuple from two names on, so it is asked for the key as well.
    read = attrgetter("key", *names)
    shape = _Shape(names, tuple(f.default for f in found), lambda one: read(one)[1:] if names else ())
    _SHAPES[cls] = shape
    return shape


_SHAPES: Final[dict[type[Resource], _Shape]] = {}


def _frozen(value: Json) -> object:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Program:
    """All resources of one project, by address, in the order in which they are made.

    `moved` are its renamed workloads, former name and new; `former` is the name that the project itself had.
    """

    project: str
    resources: Mapping[Address, Resource]
    moved: tuple[tuple[str, str], ...] = ()
    former: str | None = None

    @classmethod
    def of(cls, project: str, resources: Iterable[Resource]) -> Program:
        return cls(project, {r.address: r for r in resources})

    def only(self, resources: Iterable[Resource]) -> Program:
        """The same project with these resources."""
        return replace(self, resources={r.address: r for r in resources})

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources.values())

    def __len__(self) -> int:
        return len(self.resources)

    def get(self, address: Address) -> Resource | None:
        return self.resources.get(address)
