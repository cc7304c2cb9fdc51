"""Findings as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from orchestra.diagnostics import Diagnostic
from orchestra.report.order import in_order
from orchestra.report.rule_doc import RuleDoc
from orchestra.report.sarif_log import log, place
from orchestra.report.style import PLAIN, Style


def render(
    diagnostics: Sequence[Diagnostic],
    sources: Mapping[str, str] | None = None,
    style: Style = PLAIN,
    rules: Sequence[RuleDoc] = (),
) -> str:
    """One run. Its rules are those that found something; the sources lend their lines to the fingerprints,
    so that a finding stays the same one when lines above it come and go."""
    found = in_order(diagnostics)
    codes = {d.code: d for d in reversed(found)}
    index = {code: i for i, code in enumerate(sorted(codes))}
    docs = {doc.code: doc for doc in rules}
    seen: Counter[str] = Counter()
    results = [_result(d, index[d.code], sources or {}, seen) for d in found]
    named = [_rule(codes[code], docs.get(code)) for code in index]
    return log(named, results, (d.span.file for d in found))


def _rule(example: Diagnostic, doc: RuleDoc | None) -> dict[str, Any]:
    """What is known of a rule: from its own words, else from one of its findings."""
    rule: dict[str, Any] = {
        "id": example.code,
        "shortDescription": {"text": doc.title if doc else f"{example.code} ({_family(example.code)})"},
        "defaultConfiguration": {"level": example.severity.value},
        "properties": {"tags": [_family(example.code)]},
    }
    if why := doc.why if doc else example.why:
        rule["fullDescription"] = {"text": why}
    if example.help:
        rule["help"] = {"text": example.help}
    return rule


_FAMILIES: Final = {
    "E1": "form",
    "E2": "references",
    "E3": "platform",
    "E4": "schedules",
    "E5": "security",
    "E9": "comments",
}


def _family(code: str) -> str:
    return _FAMILIES.get(code[:2], "advice")


def _result(
    diagnostic: Diagnostic, rule: int, sources: Mapping[str, str], seen: Counter[str]
) -> dict[str, Any]:
    text = [diagnostic.message, diagnostic.why, diagnostic.help]
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity.value,
        "message": {"text": "\n".join(filter(None, text))},
        "locations": [{"physicalLocation": place(diagnostic.span)}],
        "partialFingerprints": {"orchestra/v1": _fingerprint(diagnostic, sources, seen)},
    }
    if diagnostic.labels:
        result["relatedLocations"] = [
            {"id": i, "physicalLocation": place(label.span), "message": {"text": label.message}}
            for i, label in enumerate(diagnostic.labels)
        ]
    return result


def _fingerprint(diagnostic: Diagnostic, sources: Mapping[str, str], seen: Counter[str]) -> str:
    lines = sources.get(diagnostic.span.file, "").split("\n")
    number = diagnostic.span.line
    line = lines[number - 1].strip() if number <= len(lines) else ""
    key = "\0".join((diagnostic.code, diagnostic.span.file, line or diagnostic.message))
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
