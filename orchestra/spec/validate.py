"""One file's data against the schema -> findings, and which workloads are fit to be built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yaml.nodes import MappingNode, Node, ScalarNode

from orchestra.diagnostics import Diagnostic
from orchestra.spec import schema
from orchestra.spec.faults import fault
from orchestra.spec.limits import MAX_FINDINGS
from orchestra.spec.source import NodeSource
from orchestra.spec.tree import Tree, entry

if TYPE_CHECKING:
    from orchestra.spec.explain import Failure


@dataclass(frozen=True, slots=True)
class Verdict:
    """`top_broken`: something outside the workloads is wrong. `broken`: the workloads that are."""

    diagnostics: tuple[Diagnostic, ...] = ()
    top_broken: bool = False
    broken: frozenset[str] = frozenset()


def validate(tree: Tree) -> Verdict:
    """Judge one file. Valid files cost one pass in compiled code; only what fails is explained."""
    if schema.file_is_valid(tree.data):
        return Verdict()
    found: list[Diagnostic] = []
    broken: set[str] = set()
    top_broken = not schema.top_is_valid(tree.data)
    if top_broken:
        from orchestra.spec.explain import top_failures

        whole = NodeSource(tree.file, None, tree.root)
        found.extend(_findings(top_failures(tree.data), whole, ()))
        # A section that nobody knows is an error, and no reason to say nothing of those that are known.
        top_broken = not schema.top_is_valid(schema.known_sections(tree.data))
    workloads = tree.data.get("workloads")
    if isinstance(workloads, dict) and not schema.names_are_valid(tree.data):
        from orchestra.spec.explain import name_failures

        names = name_failures(tree.data)
        broken.update(str(failure.found) for failure in names)
        found.extend(_findings(names, NodeSource(tree.file, None, tree.root), ()))
    places = workload_nodes(tree)
    for name, data in workloads.items() if isinstance(workloads, dict) else ():
        if not schema.workload_is_valid(data):
            broken.add(name)
            if len(found) <= MAX_FINDINGS:
                from orchestra.spec.explain import workload_failures

                key, value = places[name]
                source = NodeSource(tree.file, key, value)
                found.extend(_findings(workload_failures(data), source, ("workloads", name)))
    return Verdict(tuple(found), top_broken, frozenset(broken))


def workload_nodes(tree: Tree) -> dict[str, tuple[Node, Node]]:
    """Each workload's key and value, in the order of the file."""
    found = entry(tree.root, "workloads") if isinstance(tree.root, MappingNode) else None
    if found is None or not isinstance(found[1], MappingNode):
        return {}
    places: dict[str, tuple[Node, Node]] = {}
    for key, value in found[1].value:
        if isinstance(key, ScalarNode):
            places.setdefault(key.value, (key, value))
    for name in tree.data.get("workloads") or ():
        if name not in places:  # brought in by `<<`
            brought = entry(found[1], name)
            places[name] = brought if brought is not None else found
    return places


def _findings(failures: list[Failure], source: NodeSource, prefix: tuple[str, ...]) -> Iterator[Diagnostic]:
    from orchestra.spec.phrase import Phrases

    phrases = Phrases(source, prefix)
    count = 0
    for failure in failures:
        for finding in phrases.findings(failure):
            yield finding
            count += 1
            if count > MAX_FINDINGS:
                return


def limited(found: list[Diagnostic]) -> list[Diagnostic]:
    """Without repetitions, and no more than a person could read; one more says that there are others."""
    once = list(dict.fromkeys(found))
    if len(once) <= MAX_FINDINGS:
        return once
    last = fault(
        "E199",
        f"more than {MAX_FINDINGS} findings; the others are not shown",
        once[MAX_FINDINGS].span,
        help="Mend these first. (Is this file a spec at all?)",
    )
    return [*once[:MAX_FINDINGS], last]
