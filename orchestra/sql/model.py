"""What is known of a SQL text after reading it: no catalogue was asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A constant text among the arguments of a function: its position from 0, or its name where it is given by name."""

    place: int | str
    value: str
    offset: int


@dataclass(frozen=True, slots=True)
class Name:
    """A function, type or operator as named, and where (characters in the text as written)."""

    schema: str | None
    name: str
    offset: int
    texts: tuple[Text, ...] = ()
    """Of a function that is called: the arguments that are constant texts."""

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view that is read or written. Names that a WITH clause gives are none.

    `writes` holds `insert update delete truncate refresh create`, empty for one that is only read; `columns`
    are those that an update sets; `unbounded` is true where an update or delete has no WHERE.
    """

    schema: str | None
    name: str
    offset: int
    writes: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()
    unbounded: bool = False

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True)
class Inspection:
    """One SQL text. Where `error` is set it does not parse, and the rest is empty.

    `kind` is the statement's command (`SELECT`, `INSERT`, `CREATE TABLE` …) of the first statement. Offsets
    count characters of the text as it was written, before parameters were bound.
    """

    error: str | None = None
    offset: int | None = None
    statements: int = 0
    kind: str = ""
    answers: bool = False
    """Whether the first statement returns rows."""
    relations: tuple[Relation, ...] = ()
    functions: tuple[Name, ...] = ()
    operators: tuple[Name, ...] = ()
    types: tuple[Name, ...] = ()
    columns: frozenset[str] = frozenset()
    """Every column that is named, whatever its table."""
    parameters: frozenset[int] = frozenset()

    @property
    def has_where(self) -> bool:
        """Whether every update and delete in it is bounded by a WHERE."""
        return not any(r.unbounded for r in self.relations)

    @property
    def written(self) -> tuple[Relation, ...]:
        return tuple(r for r in self.relations if r.writes)
