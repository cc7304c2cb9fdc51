"""Whether the database is the one that is meant: the seed's root prerequisite."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.doctor.ask import Facts
from orchestra.doctor.model import Check, Group, State
from orchestra.doctor.said import unasked
from orchestra.ir.sql import literal
from orchestra.live.address import Address as Where
from orchestra.live.address import ref_of_api
from orchestra.plan import identity
from orchestra.plan.identity import Meant
from orchestra.report.words import count

_GROUP = Group.PROJECT


def reference(
    meant: Meant, where: Where, environment: str, *, supabase: bool, functions: bool
) -> Iterator[Check]:
    """By the address alone, so it is known without a connection too. `supabase`: the spec's provider."""
    wrong = meant.elsewhere(where, environment) or meant.unnamed(where, environment)
    unsure = list(identity.conditions("project", meant, where, functions=functions))
    if wrong is not None:
        yield Check(_GROUP, "project_ref", State.FAILED, *wrong)
    elif meant.project_ref is not None and meant.project_ref in where.refs:
        yield Check(
            _GROUP,
            "project_ref",
            State.OK,
            f"the connection leads to project {meant.project_ref}, as environment {environment} says",
        )
    elif where.ref is not None and supabase:
        known = bool(environment) and environment != "default"
        yield Check(
            _GROUP,
            "project_ref",
            State.WARNING,
            f"the connection leads to project {where.ref}, and the spec does not say whether that is right",
            f"under environments.{environment if known else 'production'} write project_ref: {where.ref}",
        )
    for condition in unsure:
        yield Check(_GROUP, condition.code, State.WARNING, condition.message, condition.remedy)
    if meant.linked is not None and not any(c.code == "linked_elsewhere" for c in unsure):
        wanted = meant.project_ref or where.ref
        state = State.OK if wanted in (None, meant.linked) else State.WARNING
        same = "" if state is State.OK else f", and this is {wanted}"
        yield Check(
            _GROUP,
            "link",
            state,
            f"supabase link points at project {meant.linked}{same}",
            command=f"supabase link --project-ref {wanted}" if same else "",
        )


def recorded(facts: Facts, project: str | None, environment: str, *, planned: bool) -> Iterator[Check]:
    """What the first apply wrote down. `planned`: a plan judges role and environment, so that here they are only
    told. An empty `environment`: whichever it is."""
    answer = facts.of("projects")
    if answer.absent:
        yield Check(_GROUP, "recorded", State.OK, "orchestra was never applied to this database")
        return
    if answer.value is None:
        yield unasked(
            _GROUP,
            "recorded",
            "what was applied here",
            answer,
            "connect as the role that made the first apply",
        )
        return
    every = answer.value["projects"]
    mine = [p for p in every if project in (None, p["project"])]
    if project is not None and not mine:
        others = ", ".join(p["project"] for p in every)
        yield Check(
            _GROUP,
            "recorded",
            State.WARNING if every else State.OK,
            f"project {project} was never applied to this database"
            + (f", which has {others}" if others else ""),
            "see that it is the database that was meant; orchestra plan shows what an apply would do"
            if others
            else "",
        )
    role = facts.server.role if facts.server else ""
    for p in mine[:20]:
        said = (
            f"project {p['project']} was applied as environment {p['environment'] or '(none yet)'} by role "
            f"{p['owner_role']}; its gate is {p['gate']}"
        )
        wrong = None
        if not planned:
            wrong = identity.other_role(p["owner_role"], role) or identity.other_environment(
                p["environment"], environment
            )
        state, remedy = State.OK, ""
        if wrong is not None:
            state, said, remedy = State.FAILED, f"project {p['project']}: {wrong[0]}", wrong[1]
        elif p["gate"] != "open":
            state = State.WARNING
            remedy = (
                f"nothing of it fires until: orchestra resume --project {p['project']}, or an apply to an "
                "environment that is not paused"
            )
        yield Check(_GROUP, "recorded", state, said, remedy)
    if len(mine) > 20:
        yield Check(_GROUP, "recorded", State.OK, f"and {count(len(mine) - 20, 'more project')}")


def function_url(facts: Facts, name: str, meant: Meant, where: Where) -> Iterator[Check]:
    """A copy of a database brings the address of the functions of the project that it was copied from. `name` is what
    Vault calls it."""
    url = facts.of("function_url").value
    there = ref_of_api(url) if isinstance(url, str) else None
    wanted = meant.project_ref or where.ref
    if there is None or wanted is None:
        return
    if there == wanted:
        yield Check(_GROUP, "function_url", State.OK, f"functions are called in project {there} itself")
    else:
        yield Check(
            _GROUP,
            "function_url",
            State.FAILED,
            f"this database calls the Edge Functions of project {there}, and it is {wanted}",
            "put the address of its own into that secret",
            f"select vault.update_secret(id, 'https://{wanted}.supabase.co/functions/v1') from vault.secrets "
            f"where name = {literal(name)}",
        )
