"""What a report says of a rule itself, beside what the rule found."""

from __future__ import annotations

from typing import Protocol


class RuleDoc(Protocol):
    """A code with a sentence about the fault and what it does in production."""

    @property
    def code(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def why(self) -> str: ...
