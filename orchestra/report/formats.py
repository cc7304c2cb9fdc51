"""The formats in which findings are reported, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestra.diagnostics import Diagnostic
from orchestra.report import github, json, sarif, text
from orchestra.report.rule_doc import RuleDoc
from orchestra.report.style import Style


class Render(Protocol):
    def __call__(
        self,
        diagnostics: Sequence[Diagnostic],
        sources: Mapping[str, str] | None = None,
        style: Style = ...,
        rules: Sequence[RuleDoc] = ...,
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    render: Render
    for_people: bool = False


FORMATS = (
    Format("text", text.render, for_people=True),
    Format("json", json.render),
    Format("github", github.render),
    Format("sarif", sarif.render),
)


def by_name(name: str) -> Format:
    return next(f for f in FORMATS if f.name == name)
