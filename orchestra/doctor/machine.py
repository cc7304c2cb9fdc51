"""What is on the machine that orchestra runs on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestra.doctor.model import Check, Group, State
from orchestra.version import __version__

_GROUP = Group.MACHINE


@dataclass(frozen=True, slots=True)
class Machine:
    """Versions, or why there is none: (version, fault)."""

    python: str
    git: str | None
    deno: tuple[str, str]
    embedded: tuple[str, str]


def checks(machine: Machine, *, functions: bool) -> Iterator[Check]:
    """`functions`: the specs have Edge Functions, which run in Deno here."""
    yield Check(_GROUP, "orchestra", State.OK, f"orchestra {__version__} on Python {machine.python}")
    if machine.git is None:
        yield Check(
            _GROUP,
            "git",
            State.WARNING,
            "there is no git: diff --base and the commit in the ledger need it",
            "install git: https://git-scm.com/downloads",
        )
    else:
        yield Check(_GROUP, "git", State.OK, f"git {machine.git}")
    version, fault = machine.deno
    if version:
        yield Check(_GROUP, "deno", State.OK, f"deno {version}, which runs the functions of orchestra dev")
    else:
        state = State.WARNING if functions else State.OK
        why = "" if functions else " (nothing here needs it)"
        yield Check(
            _GROUP,
            "deno",
            state,
            f"functions cannot be run here: {fault}{why}",
            command="pip install 'orchestra[dev-functions]'" if functions else "",
        )
    version, fault = machine.embedded
    if version:
        yield Check(_GROUP, "embedded", State.OK, f"the embedded PostgreSQL {version} can be started here")
    else:
        yield Check(
            _GROUP,
            "embedded",
            State.OK,
            "there is no embedded PostgreSQL here; only a laptop without another database needs one "
            "(pip install 'orchestra[dev-database]')",
        )
