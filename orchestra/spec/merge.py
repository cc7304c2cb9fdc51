"""Several files -> one: each key once, and where one stands twice, both places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from orchestra.diagnostics import Diagnostic, Label, Span
from orchestra.spec.faults import fault, top_of
from orchestra.spec.source import NodeSource
from orchestra.spec.tree import Tree

# Sections whose entries may come from several files; any other may stand in several only if it says the same.
_BY_KEY: Final = ("workloads", "environments", "secrets", "defaults")
_LISTS: Final = ("requires",)


@dataclass(slots=True)
class Merged:
    """The top level of a spec. `owners` says which file a workload comes from; `requires` entries follow the
    order of the files."""

    data: dict[str, Any] = field(default_factory=dict)
    owners: dict[str, Tree] = field(default_factory=dict)
    requires: list[tuple[Tree, int, Mapping[str, Any]]] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    broken: bool = False


def merge(trees: Sequence[Tree]) -> Merged:
    """Put the files together. `broken` is set where the top level is not sound."""
    merged = Merged()
    first: dict[tuple[str, ...], Tree] = {}
    for tree in trees:
        for section, value in tree.data.items():
            if section in _BY_KEY and isinstance(value, dict):
                _entries(merged, tree, section, value, first)
            elif section in _LISTS and isinstance(value, list):
                merged.requires.extend((tree, index, entry) for index, entry in enumerate(value))
            elif (section,) not in first:
                first[(section,)] = tree
                merged.data[section] = value
            elif merged.data[section] != value:
                merged.broken = True
                merged.diagnostics.append(_disagree((section,), tree, first[(section,)]))
    _required(merged, trees)
    return merged


def _entries(
    merged: Merged, tree: Tree, section: str, value: Mapping[str, Any], first: dict[tuple[str, ...], Tree]
) -> None:
    target = merged.data.setdefault(section, {})
    for name, entry in value.items():
        earlier = first.setdefault((section, name), tree)
        if earlier is tree:
            target[name] = entry
            if section == "workloads":
                merged.owners[name] = tree
        elif section == "workloads":
            merged.diagnostics.append(_twice(name, tree, earlier))
        else:
            merged.broken = True
            merged.diagnostics.append(_disagree((section, name), tree, earlier))


def _place(tree: Tree, path: Sequence[str]) -> Span:
    return NodeSource(tree.file, None, tree.root).find(path, key=True)[0]


def _twice(name: str, tree: Tree, earlier: Tree) -> Diagnostic:
    return fault(
        "E130",
        f"the workload `{name}` is declared in two files",
        _place(tree, ("workloads", name)),
        why="Only one of them could run.",
        help="Remove or rename one of them.",
        labels=[Label(_place(earlier, ("workloads", name)), "it is declared here first")],
    )


def _disagree(path: tuple[str, ...], tree: Tree, earlier: Tree) -> Diagnostic:
    return fault(
        "E131",
        f"`{'.'.join(path)}` stands in two files" + ("" if len(path) > 1 else " and they do not agree"),
        _place(tree, path),
        why="Which of the two counts would depend on the order in which the files are read.",
        help="Keep it in one file.",
        labels=[Label(_place(earlier, path), "it stands here first")],
    )


def _required(merged: Merged, trees: Sequence[Tree]) -> None:
    for key, example, why in (
        ("version", "version: 1", "It says how the file is to be read."),
        (
            "project",
            "project: shop",
            "It marks what the spec creates as its own, so that nothing else is touched.",
        ),
    ):
        if key not in merged.data and trees:
            merged.broken = True
            where = "the file" if len(trees) == 1 else "one of the files"
            merged.diagnostics.append(
                fault(
                    "E121", f"{where} needs `{key}`", top_of(trees[0].file), why=why, help=f"Add `{example}`."
                )
            )
