"""How much of a report still fits: a comment has a limit, and a plan has none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


def characters(text: str) -> int:
    """As GitHub counts a comment: a sign outside the basic plane is two."""
    return len(text) + sum(char > "\uffff" for char in text) if not text.isascii() else len(text)


def octets(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


@dataclass
class Budget:
    """What is left of `room`, in what `measure` counts. `share` lends a part of it to one section."""

    room: int
    measure: Callable[[str], int] = field(default=characters)

    def take(self, piece: str, *, keep: int = 0) -> bool:
        """Whether the piece and its line end fit and leave `keep`; if so, they are spent."""
        size = self.measure(piece) + 1
        if size > self.room - keep:
            return False
        self.room -= size
        return True

    def spend(self, piece: str) -> str:
        """A piece that has to be there, whatever is left."""
        self.room -= self.measure(piece) + 1
        return piece

    def fill(self, pieces: Iterable[str], most: int) -> list[str]:
        """The first pieces that fit in `most` of the room."""
        share = Budget(min(most, self.room), self.measure)
        taken: list[str] = []
        for piece in pieces:
            if not share.take(piece):
                break
            taken.append(self.spend(piece))
        return taken
