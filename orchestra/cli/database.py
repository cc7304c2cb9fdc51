"""Which database a command speaks to: the first of five that is given, and it is always said which."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.cli import console, linked
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.cli.environments import Place
    from orchestra.plan.identity import Meant
    from orchestra.spec.model import Spec

VARIABLE = "ORCHESTRA_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Chosen:
    """`url` may hold a password and is never printed; `where` says in words how it was chosen."""

    url: str
    where: str
    environment: str = "default"
    protect: bool | None = None
    paused: bool = False
    approvals_required: bool = False
    embedded: Path | None = None
    """Where the embedded database lies, if it is that one."""
    meant: Meant | None = None
    """Which Supabase project it has to be, and was found to be as far as the URL tells."""

    def __repr__(self) -> str:
        return f"Chosen({self.where!r})"

    def say_who_runs_its_jobs(self, *, functions: bool) -> None:
        """The embedded database has no pg_cron of its own, and nobody would guess. `functions`: there are Edge
        Functions that nobody has served yet."""
        if self.embedded is None:
            return
        what = "jobs and functions" if functions else "jobs"
        console.note(f"Its {what} run while this does: orchestra dev")


def choose(
    db: str | None,
    environment: str | None,
    spec: Spec | None,
    paths: Sequence[Path],
    *,
    make: bool = True,
    prove: bool = True,
) -> Chosen:
    """`--db`, else `--env`, else the variable, else the local Supabase stack, else the embedded one, which is made
    where there is none and `make` is set. With `prove` BlockedError where it is another Supabase project than the
    environment's."""
    found = _environment(spec, environment, look_up=db is None) if environment is not None else None
    chosen = _first(db, found, home_of(paths), make)
    console.note(f"Database: {chosen.where}")
    meant = linked.meant(spec, environment, home_of(paths))
    if prove:
        linked.prove(meant, chosen.url, environment)
    if found is None:
        return replace(chosen, meant=meant)
    return replace(
        chosen,
        meant=meant,
        environment=found.name,
        protect=found.protect,
        paused=found.paused,
        approvals_required=found.approvals_required,
    )


def _first(db: str | None, environment: Place | None, beside: Path, make: bool) -> Chosen:
    if db is not None:
        return Chosen(_url(db, "--db"), "--db")
    if environment is not None:
        variable = environment.variable
        if variable is None:
            raise UsageError(
                f"environment {environment.name!r} names no database",
                f"write `database: {{env: NAME}}` in the spec, or give --db URL with --env "
                f"{environment.name}",
            )
        if not (value := environment.url):
            raise UsageError(
                f"environment {environment.name!r} takes its database from {variable}, which is not set",
                f"set {variable} to the URL of the database",
            )
        return Chosen(_url(value, variable), f"--env {environment.name}, from {variable}")
    if value := os.environ.get(VARIABLE):
        return Chosen(_url(value, VARIABLE), VARIABLE)
    from orchestra.cli import local

    if (stack := local.supabase(beside)) is not None:
        return Chosen(*stack)
    url, where, directory = local.embedded(beside, make)
    return Chosen(url, where, embedded=directory)


def _environment(spec: Spec | None, name: str, *, look_up: bool) -> Place:
    if spec is None:
        raise UsageError("--env needs a spec, which says what its environments are", "give --db URL instead")
    from orchestra.cli import environments

    return environments.one(spec, name, look_up=look_up)


def _url(value: str, origin: str) -> str:
    """The value, if it can be a database URL. It is not repeated: it may be a password pasted by mistake."""
    value = value.strip()
    if value.startswith(("postgres://", "postgresql://")) or "=" in value:
        return value
    raise UsageError(
        f"{origin} holds no database URL", "write it as postgresql://user:password@host:5432/database"
    )


def home_of(paths: Sequence[Path]) -> Path:
    """The directory of the spec, where `.orchestra/` is; else the current one."""
    if paths:
        first = paths[0].absolute()
        return first if first.is_dir() else first.parent
    from orchestra.spec import find_spec

    found = find_spec(Path.cwd())
    return Path(found).absolute().parent if found else Path.cwd()
