"""What the head of compiled SQL says of a spec. It names no places: its bytes do not depend on where the spec lies."""

from __future__ import annotations

from orchestra.lower.later import later
from orchestra.spec.model import Composition, Spec


def not_yet(spec: Spec) -> list[str]:
    """What the spec asks for and this version does not bring to work, a line each."""
    return [f"{address}: {why}" for address, _, why in later(spec)]


def in_words(composition: Composition) -> str:
    """One line for people: `stage execution-runtime, priority high, after database-schema`; empty without any."""
    parts = [
        f"{word} {value}"
        for word, value in (
            ("stage", composition.stage),
            ("priority", composition.priority),
            ("after", ", ".join(composition.after)),
            ("before", ", ".join(composition.before)),
        )
        if value
    ]
    return "; ".join(parts)
