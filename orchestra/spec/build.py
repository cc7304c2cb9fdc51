"""Trees -> the frozen `Spec`. Pure: what was included is passed in as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from orchestra.diagnostics import Diagnostic
from orchestra.platform import IDENTIFIER_BYTES
from orchestra.spec.faults import fault
from orchestra.spec.merge import merge
from orchestra.spec.model import Ignore, ScheduleTrigger, Spec, SqlHandler, Workload
from orchestra.spec.payload import Includes, Payloads
from orchestra.spec.sections import (
    composition_of,
    environments_of,
    platform_of,
    requirement_of,
    secrets_of,
)
from orchestra.spec.source import FilesSource, NodeSource, source_of
from orchestra.spec.tree import Tree
from orchestra.spec.validate import validate, workload_nodes
from orchestra.spec.workload import Builder


@dataclass(frozen=True, slots=True)
class Built:
    """`spec` is None where the top level is broken; workloads with faults are left out of it."""

    spec: Spec | None
    diagnostics: tuple[Diagnostic, ...]


def build(trees: Sequence[Tree], includes: Includes, ignores: Sequence[Ignore] = ()) -> Built:
    """The spec that the files declare together.

    `includes` maps normalised paths of payload schemas to their text, or to why they could not be read.
    """
    found: list[Diagnostic] = []
    verdicts = [validate(tree) for tree in trees]
    for verdict in verdicts:
        found.extend(verdict.diagnostics)
    merged = merge(trees)
    found.extend(merged.diagnostics)
    if merged.broken or not trees or any(verdict.top_broken for verdict in verdicts):
        return Built(None, tuple(found))
    data = merged.data
    payloads = Payloads(includes)
    builder = Builder(data.get("defaults", {}))
    made: list[Workload] = []
    for tree, verdict in zip(trees, verdicts, strict=True):
        for name, (key, value) in workload_nodes(tree).items():
            if name in verdict.broken or merged.owners.get(name) is not tree:
                continue
            source = NodeSource(tree.file, key, value)
            one = tree.data["workloads"][name]
            schema = (
                payloads.read(tree.file, one["payload_schema"], source) if "payload_schema" in one else None
            )
            made.append(builder.build(name, one, source, schema))
    made.sort(key=attrgetter("name"))
    found.extend(payloads.diagnostics)
    found.extend(_long_names(data["project"], made))
    spec = Spec(
        project=data["project"],
        source=FilesSource(tuple(trees)),
        workloads=tuple(made),
        platform=platform_of(data.get("platform", {})),
        environments=environments_of(data.get("environments", {})),
        requires=tuple(
            requirement_of(entry, source_of(tree, "requires", str(index)))
            for tree, index, entry in merged.requires
        ),
        composition=composition_of(data.get("composition", {})),
        secrets=secrets_of(data.get("secrets", {})),
        ignores=tuple(ignores),
        moved=data["moved"]["from"] if "moved" in data else None,
        broken=tuple(sorted({name for verdict in verdicts for name in verdict.broken})),
    )
    return Built(spec, tuple(found))


def _long_names(project: str, workloads: Sequence[Workload]) -> list[Diagnostic]:
    """Each schedule and each worker becomes a job of its own name; longer names could be cut alike and collide."""
    found = []
    for w in workloads:
        name = f"orchestra:{project}:{w.name}{_suffix(w)}"
        if len(name) > IDENTIFIER_BYTES:
            room = IDENTIFIER_BYTES - len(name) + len(w.name)
            found.append(
                fault(
                    "E132",
                    f"`{name}` is longer than {IDENTIFIER_BYTES} characters",
                    w.at(key=True),
                    why="It is the name of one of the workload's jobs, and PostgreSQL cuts longer names without "
                    "a word.",
                    help=f"With the project `{project}` this workload's name may have {room} characters.",
                )
            )
    return found


def _suffix(w: Workload) -> str:
    """What the longest of a workload's job names may have after the workload's own."""
    schedules = sum(isinstance(t, ScheduleTrigger) for t in w.triggers)
    several = f".schedule-{schedules}" if schedules > 1 else ""
    # Only a statement that nothing but a schedule starts needs no workers.
    alone = schedules == len(w.triggers) and w.pattern != "queue" and "concurrency" not in w.written
    worker = "" if alone or not isinstance(w.handler, SqlHandler) else f".worker-{w.concurrency.limit}"
    return max(several, worker, key=len)


def includes_wanted(trees: Sequence[Tree]) -> Mapping[str, None]:
    """The payload schemas that the files name: normalised paths, in order, each once."""
    wanted: dict[str, None] = {}
    for tree in trees:
        workloads = tree.data.get("workloads")
        for one in workloads.values() if isinstance(workloads, dict) else ():
            path = one.get("payload_schema") if isinstance(one, dict) else None
            if isinstance(path, str) and path:
                wanted.setdefault(Payloads.key(tree.file, path))
    return wanted
