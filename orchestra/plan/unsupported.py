"""What apply refuses until a later version brings it to work."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.lower.later import later
from orchestra.plan.model import Blocker
from orchestra.spec.model import Spec


def unsupported(spec: Spec) -> Iterator[Blocker]:
    """One blocker for each key, with its place in the file."""
    places = {w.name: w for w in spec.workloads}
    for found in later(spec):
        place = spec if found.address.kind == "project" else places[found.address.name]
        yield Blocker(
            "unsupported",
            found.address,
            f"{place.at(found.path)}: {found.why}",
            "leave it out until a later version of orchestra applies it",
            exit_code=1,
        )
