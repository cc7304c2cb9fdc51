"""What the head of compiled SQL says of a spec. It names no places: its bytes do not depend on where the spec lies."""

from __future__ import annotations

from orchestra.spec.model import Composition


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
