"""How a text report looks: its width and whether it is coloured. The shell decides both, no renderer does."""

from __future__ import annotations

from dataclasses import dataclass

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


@dataclass(frozen=True, slots=True)
class Style:
    """`width` in terminal cells; `colour` False writes no escape sequence at all."""

    width: int = 80
    colour: bool = False

    def paint(self, text: str, *looks: str) -> str:
        """`text` in the given looks (`bold`, `red` …), or as it is without colour."""
        if not self.colour or not text or not looks:
            return text
        return f"\x1b[{';'.join(_CODES[look] for look in looks)}m{text}\x1b[0m"

    def bold(self, text: str) -> str:
        return self.paint(text, "bold")

    def dim(self, text: str) -> str:
        return self.paint(text, "dim")


PLAIN = Style()
