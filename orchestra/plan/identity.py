"""Whether a database is of the Supabase project that is meant: what a spec says, against what the connection says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestra.errors import BlockedError
from orchestra.ir.program import Address
from orchestra.live.address import Address as Where
from orchestra.plan.model import Blocker, Condition


@dataclass(frozen=True, slots=True)
class Meant:
    """What is known before anything is asked: the `project_ref` of the environment that was chosen, those of all
    environments of the spec (name and ref), and the project that `supabase link` has chosen for this folder."""

    project_ref: str | None = None
    environments: tuple[tuple[str, str], ...] = ()
    linked: str | None = None

    def elsewhere(self, where: Where, environment: str) -> tuple[str, str] | None:
        """What is wrong and what to do about it, where the connection leads to another project than the one meant."""
        others = sorted(where.refs - {self.project_ref})
        if self.project_ref is None or not others:
            return None
        known = {ref: name for name, ref in self.environments}
        owner = f", which the spec calls {known[others[0]]}" if others[0] in known else ""
        return (
            f"environment {environment} is the Supabase project {self.project_ref}, and this connection leads to "
            f"project {others[0]}{owner}",
            f"take the connection string of {self.project_ref}"
            + (f", or give --env {known[others[0]]}" if owner else "")
            + f"; if the project has moved, write its new reference under environments.{environment}.project_ref",
        )

    def unnamed(self, where: Where, environment: str) -> tuple[str, str] | None:
        """The same where no environment was given, and the connection leads to the project of one."""
        if self.project_ref is not None or where.ref is None:
            return None
        for name, ref in self.environments:
            if ref == where.ref and name != environment:
                return (
                    f"this connection leads to the Supabase project {ref}, which the spec calls environment {name}, "
                    f"and it would be treated as environment {environment}",
                    f"give --env {name}, so that what the spec says of it counts",
                )
        return None


def refuse_elsewhere(meant: Meant, where: Where, environment: str) -> None:
    """BlockedError where the connection leads to another project than the environment's."""
    if (said := meant.elsewhere(where, environment)) is not None:
        raise BlockedError(*said)


def blockers(project: str, meant: Meant, where: Where, environment: str) -> Iterator[Blocker]:
    if environment and (said := meant.elsewhere(where, environment) or meant.unnamed(where, environment)):
        yield Blocker("project_ref", Address("project", project), *said)


def conditions(project: str, meant: Meant, where: Where, *, functions: bool) -> Iterator[Condition]:
    """What could not be told, and a link that leads elsewhere where Edge Functions are deployed by it."""
    own = Address("project", project)
    if meant.project_ref is not None and not where.refs:
        yield Condition(
            "project_ref",
            own,
            f"nothing in this connection tells which Supabase project it leads to, so it was not proved that it is "
            f"{meant.project_ref}",
            f"connect by db.{meant.project_ref}.supabase.co, or as postgres.{meant.project_ref} by the pooler",
        )
    wanted = meant.project_ref or where.ref
    if functions and meant.linked is not None and wanted is not None and meant.linked != wanted:
        yield Condition(
            "linked_elsewhere",
            own,
            f"supabase link points at project {meant.linked}, and this is {wanted}: functions would be deployed to "
            "the other one",
            f"supabase link --project-ref {wanted}",
        )


def other_role(owner: str, role: str) -> tuple[str, str] | None:
    """What is wrong and what to do about it, where the first apply was made by another role than the connected one."""
    if owner == role:
        return None
    return (
        f"the first apply was made by role {owner}; as {role} the jobs could neither be seen nor changed, only doubled",
        f"connect as {owner}",
    )


def other_environment(recorded: object, meant: str) -> tuple[str, str] | None:
    """The same for the environment. An empty `meant` is whichever there is; a project of migrations alone has recorded
    none."""
    if not meant or recorded in (None, meant):
        return None
    return (
        f"this database holds environment {recorded} of the project, not {meant}",
        "choose the database that was meant"
        + (f", or give --env {recorded}" if recorded != "default" else ", or leave --env out"),
    )
