"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orchestra.check.facts import Facts
from orchestra.diagnostics import Diagnostic, Label, Severity, Span


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a rule is broken. The rule lends it its code and severity, and its `why` where it has none."""

    span: Span
    message: str
    help: str
    why: str = ""
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `bad` breaks it and nothing else, on the line marked `<-- CODE`; `good` is the same, mended.

    `title` is a sentence about the fault, `why` what it does in production. Advice may always be silenced in a comment,
    an error only where `ignorable` says that it is a matter of judgement.
    """

    code: str
    title: str
    why: str
    bad: str
    good: str
    check: Callable[[Facts], Iterable[Finding]]
    judgement: bool = False

    @property
    def severity(self) -> Severity:
        return Severity.ERROR if self.code.startswith("E") else Severity.WARNING

    @property
    def ignorable(self) -> bool:
        return self.judgement or (self.severity is Severity.WARNING and not self.of_comments)

    @property
    def of_comments(self) -> bool:
        """Whether it is about the comments that silence others, and cannot be silenced by one."""
        return self.code[1] == "9"

    def run(self, facts: Facts) -> Iterable[Diagnostic]:
        for f in self.check(facts):
            yield Diagnostic(self.code, self.severity, f.message, f.span, f.why or self.why, f.help, f.labels)
