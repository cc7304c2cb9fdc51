"""What a check finds: a place in a file, and a finding about it. No rendering here (see `report/`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs: an error stops the road, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a spec file.

    `file` is the path as the user gave it; lines and columns count from 1; the end column is exclusive.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that a finding speaks of, such as the first of two duplicates."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `message` says what is wrong, `why` what it would do in production, `help` how to mend it.
    `code` is stable: E1xx form, E2xx references, E3xx platform and lease, E4xx schedules, E5xx security, W advice.
    """

    code: str
    severity: Severity
    message: str
    span: Span
    why: str = ""
    help: str = ""
    labels: tuple[Label, ...] = ()

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR
