"""What an import made of a database: workloads, what it left out, and the text of the spec."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestra.diagnostics import Diagnostic
from orchestra.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Options:
    """`project` None takes a name of the database's; `file` is what the spec will be called in the command that adopts,
    `where` the options that name the database there; `environment` is (name, variable) of the one it was read from;
    `refused` holds jobs, by id, whose statements the catalogue refuses, with the reason."""

    project: str | None = None
    file: str = "orchestra.yaml"
    where: tuple[str, ...] = ()
    environment: tuple[str, str] | None = None
    refused: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """One workload. `origin` is the object that it was made of, in words; `notes` are the sentences that stand above
    its keys; `lines` are those keys as YAML; `adopt` is the argument of `--adopt` that takes the object over, None
    where nothing can."""

    workload: str
    origin: str
    notes: tuple[str, ...]
    lines: tuple[str, ...]
    adopt: str | None = None
    paused: bool = False
    jobid: int | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One object that the spec does not hold: what it is, why, what could be done, and its text with what may be secret
    in it starred out."""

    what: str
    reason: str
    hint: str = ""
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """`text` is the spec as YAML and `spec` what came of reading it back; `owned` counts what orchestra has already, by
    project; `tools` are sentences about other tools; `command` is the plan that adopts."""

    project: str
    text: str
    spec: Spec
    command: str
    made: tuple[Made, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    owned: tuple[tuple[str, int], ...] = ()
    tools: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
