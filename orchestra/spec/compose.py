"""Text -> YAML nodes with their marks, by libyaml, within limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.nodes import Node, ScalarNode

from orchestra.diagnostics import Diagnostic
from orchestra.spec import mishaps
from orchestra.spec.decode import unseen
from orchestra.spec.limits import MAX_DEPTH, MAX_NODES


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
                raise _TooDeepError(parent) from None
            count()

        self.descend_resolver = descend
        self.ascend_resolver = partial(levels.append, None)

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return ""  # no tag was written


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
    return root, []
