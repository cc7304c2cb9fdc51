"""Circles in a graph of names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def cycles(edges: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """The circles that a walk in depth closes, at most one for each name that one begins with. No recursion."""
    seen: set[str] = set()
    closed: set[str] = set()
    for root in sorted(edges):
        if root in seen:
            continue
        seen.add(root)
        path = {root: iter(edges[root])}
        while path:
            name = next(reversed(path))
            following = next(path[name], None)
            if following is None:
                del path[name]
            elif following in path:
                if following not in closed:
                    closed.add(following)
                    names = list(path)
                    yield tuple(names[names.index(following) :])
            elif following in edges and following not in seen:
                seen.add(following)
                path[following] = iter(edges[following])


def way(circle: Sequence[str]) -> str:
    """`a` -> `b` -> `a`, shortened in the middle."""
    names = [f"`{name}`" for name in (*circle, circle[0])]
    if len(names) > 8:
        names = [*names[:4], "…", *names[-3:]]
    return " -> ".join(names)
