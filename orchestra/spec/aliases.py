"""How much an aliased document would grow: counted, not tried."""

from __future__ import annotations

from yaml.nodes import MappingNode, Node, ScalarNode

from orchestra.diagnostics import Diagnostic
from orchestra.spec.faults import fault
from orchestra.spec.limits import MAX_ALIAS_NODES, MAX_DEPTH
from orchestra.spec.tree import span_of


def alias_fault(root: Node, file: str) -> Diagnostic | None:
    """The finding where aliases contain themselves, or repeat more than a spec could need.

    Each shared node is measured once, children first, on a stack of our own: no recursion, linear time.
    """
    sizes: dict[int, tuple[int, int]] = {}  # id of a node -> nodes in its expansion, depth
    open_nodes: set[int] = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    written = 0
    while stack:
        node, done = stack.pop()
        if done:
            open_nodes.discard(id(node))
            size, depth = 1, 0
            for child in _children(node):
                child_size, child_depth = sizes.get(id(child), (1, 0))
                size, depth = size + child_size, max(depth, child_depth)
            sizes[id(node)] = (size, depth + 1)
            deep = depth + 1 > MAX_DEPTH
            if deep or size - written > MAX_ALIAS_NODES:
                wrong = f"repeat more than {MAX_ALIAS_NODES:,} keys and values"
                if deep:
                    wrong = f"nest more than {MAX_DEPTH} levels deep"
                return fault(
                    "E108",
                    f"aliases {wrong} here",
                    span_of(node, file),
                    why="A few lines of nested aliases can grow beyond the memory of any machine.",
                    help="Write the values out, or put what is common under `defaults`.",
                )
            continue
        if id(node) in sizes:
            continue
        if id(node) in open_nodes:
            return fault(
                "E108",
                "an alias stands inside the very value that it names",
                span_of(node, file),
                why="The value would contain itself without end.",
                help="Write the value out instead of the alias.",
            )
        written += 1
        if isinstance(node, ScalarNode):
            sizes[id(node)] = (1, 0)
            continue
        open_nodes.add(id(node))
        stack.append((node, True))
        stack.extend((child, False) for child in _children(node))
    return None


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return [] if isinstance(node, ScalarNode) else list(node.value)
