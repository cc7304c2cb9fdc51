"""The exception tree: user faults only, each with the exit code that docs/cli.md promises.

OrchestraError            1   anything that went wrong and can be said in a sentence
├── SpecError             1   the spec has errors; carries the diagnostics
├── UsageError           64   the command line makes no sense
├── ConnectError          1   the database could not be reached
├── RequirementError      1   a `requires` check does not hold
├── VersionError          1   the database belongs to a newer orchestra
├── StalePlanError        3   an object that the plan touches has changed since
├── LockedError           4   another apply holds the lock
├── BlockedError          5   protection, ownership or an unapproved hazard stands in the way
├── ProofError            1   the plan computed after the changes was not empty; rolled back
├── ApplyError            1   a statement failed; rolled back
├── HostingError          1   the host of the repository refused, or could not be reached
└── InDoubtError          1   the connection was lost at commit and could not be settled
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from orchestra.diagnostics import Diagnostic


class OrchestraError(Exception):
    """A fault that the user can read and act on.

    `message` is one sentence (what and why); `remedy` says what to do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class SpecError(OrchestraError):
    """The spec has errors; `diagnostics` holds every finding of the run, warnings included."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        errors = sum(d.is_error for d in diagnostics)
        super().__init__(f"the spec has {errors} error{'s' if errors != 1 else ''}")
        self.diagnostics = tuple(diagnostics)


class UsageError(OrchestraError):
    exit_code = 64


class ConnectError(OrchestraError):
    pass


class RequirementError(OrchestraError):
    pass


class VersionError(OrchestraError):
    pass


class StalePlanError(OrchestraError):
    exit_code = 3


class LockedError(OrchestraError):
    exit_code = 4


class BlockedError(OrchestraError):
    exit_code = 5


class ProofError(OrchestraError):
    pass


class ApplyError(OrchestraError):
    pass


class HostingError(OrchestraError):
    pass


class InDoubtError(OrchestraError):
    pass
