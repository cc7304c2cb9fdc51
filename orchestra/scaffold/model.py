"""What goes in and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Found:
    """What a repository shows. Paths have slashes; those of files to write are relative to the folder of the spec.

    `names` are what the project may be called, the likeliest first, as they were written. `top` leads to the top of the
    repository (`.` where the spec lies there) and `inside` back. `texts` are the files in the place of those to write.
    """

    names: tuple[str, ...] = ()
    supabase: bool = False
    functions: tuple[str, ...] = ()
    queue_migrations: tuple[str, ...] = ()
    production: str = ""
    host: str = ""
    top: str = "."
    inside: str = "."
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    project: str
    provider: str
    plan: str
    ci: str
    pre_commit: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """`files` are path -> text; `kept` paths of files that are there and stay, with what to do about it."""

    files: Mapping[str, str]
    grown: frozenset[str]
    kept: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
