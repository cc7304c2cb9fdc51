"""Text -> one file's tree, findings and ignore comments. Pure."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from yaml.nodes import MappingNode

from orchestra.diagnostics import Diagnostic
from orchestra.spec.careful import careful_data
from orchestra.spec.compose import compose
from orchestra.spec.faults import fault
from orchestra.spec.ignores import find_ignores
from orchestra.spec.model import Ignore
from orchestra.spec.tree import Tree, UnusualError, plain_data, span_of


@dataclass(frozen=True, slots=True)
class Parsed:
    """One file. `tree` is None where the text could not be read as a mapping."""

    file: str
    tree: Tree | None
    diagnostics: tuple[Diagnostic, ...]
    ignores: tuple[Ignore, ...] = ()


def parse(text: str, file: str) -> Parsed:
    """Read one spec file. Never raises, whatever the text."""
    with no_collection():
        root, found = compose(text, file)
        if root is None:
            return Parsed(file, None, tuple(found))
        ignores = find_ignores(text, root, file)
        if not isinstance(root, MappingNode):
            return Parsed(
                file,
                None,
                (
                    fault(
                        "E122",
                        "a spec is a mapping of keys, and this file is not",
                        span_of(root, file),
                        help="Begin with `version: 1`, `project: NAME` and `workloads:`.",
                    ),
                ),
                ignores,
            )
        data = None
        # Only an anchor makes an alias possible, and what aliases share must be counted before it is read.
        if "&" not in text:
            try:
                data = plain_data(root)
            except UnusualError:
                data = None
        if data is None:
            data, found = careful_data(root, file)
        tree = Tree(file, root, data) if isinstance(data, dict) else None
        return Parsed(file, tree, tuple(found), ignores)


@contextmanager
def no_collection() -> Iterator[None]:
    """Hold the cycle collector while many long-lived objects are made.

    It would walk them again and again (nine tenths of the time, measured at 400,000 nodes). Nothing made
    here is garbage, so at the end all of it goes to the oldest generation at once (freeze and thaw), where it
    is not walked with the young ones.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count() == 0:
            gc.freeze()
            gc.unfreeze()
        gc.enable()
