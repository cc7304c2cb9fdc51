"""Text -> YAML nodes with their marks, by libyaml, within limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import yaml
from yaml._yaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode

from orchestra.diagnostics import Diagnostic
from orchestra.spec import mishaps
from orchestra.spec.decode import unseen
from orchestra.spec.limits import MAX_DEPTH, MAX_NODES
from orchestra.spec.tree import span_of

_NUL_ESCAPE: Final = re.compile(r"\\(?:0|x00|u0000|U00000000)")


class _TooDeepError(Exception):
    pass


class _Composer(CParser):
    """Composes without resolving tags, and stops at the limits.

    The C code calls `descend_resolver` before and `ascend_resolver` after each node, keys included. Both do
    no more than C-level calls, because a spec of 10,000 workloads has 400,000 nodes.
    """

    descend_resolver: Callable[[Any, Any], None]
    ascend_resolver: Callable[[], None]

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        levels: list[None] = [None] * MAX_DEPTH
        take_level = levels.pop
        count = iter(range(MAX_NODES)).__next__

        def descend(parent: Node | None, index: Any) -> None:
            try:
                take_level()
            except IndexError:
                raise _TooDeepError(None if parent is None else parent.start_mark) from None
            count()

        self.descend_resolver = descend
        self.ascend_resolver = partial(levels.append, None)

    resolve = "".format
    """No tag was written, so there is none: an empty text, whatever is asked, and no call into Python."""


def compose(text: str, file: str) -> tuple[Node | None, list[Diagnostic]]:
    """The root node of the one document in `text`, or the findings that say why there is none.

    `tag` is empty on every node but those with a tag of their own. Nodes that aliases stand for are shared.
    """
    invisible = unseen(text, file)
    if invisible is not None:
        return None, [invisible]
    parser = _Composer(text)
    try:
        root: Node | None = parser.get_single_node()
    except _TooDeepError as error:
        return None, [mishaps.too_deep(file, error.args[0])]
    except StopIteration:
        return None, [mishaps.too_many(file)]
    except yaml.MarkedYAMLError as error:
        return None, [mishaps.from_yaml(error, text, file)]
    except yaml.YAMLError:
        return None, [mishaps.unreadable(file)]
    finally:
        parser.dispose()
    if root is None or (isinstance(root, ScalarNode) and not (root.value or root.style or root.tag)):
        return None, [mishaps.empty(file)]
    # PostgreSQL has no text with a NUL in it; as an escape it passes the look at the raw text.
    nul = next(_with_nul(root), None) if _NUL_ESCAPE.search(text) else None
    return (root, []) if nul is None else (None, [mishaps.nul(span_of(nul, file))])


def _with_nul(root: Node) -> Iterator[ScalarNode]:
    """The scalars that hold a NUL character; nodes that aliases share are looked at once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, ScalarNode):
            if "\0" in node.value:
                yield node
        elif isinstance(node, MappingNode):
            waiting += [n for pair in node.value for n in pair]
        else:
            waiting += node.value
