"""A plan or a difference as SARIF 2.1.0: what blocks, what is dangerous, what holds, each at its place in the spec."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any, Final

from orchestra.report.cells import visible
from orchestra.report.places import Places
from orchestra.report.review import Review
from orchestra.report.review_findings import ReviewFinding, findings
from orchestra.report.review_rules import title
from orchestra.report.sarif_log import log, place

_LEVELS: Final = {"blocker": "error", "hazard": "warning", "condition": "note", "drift": "note"}


def render(review: Review) -> str:
    """One run. A result without a place in a spec has only the address; a service that wants
    files is given the spec."""
    found = findings(review)
    rules = sorted({f.rule for f in found})
    index = {rule: position for position, rule in enumerate(rules)}
    places = Places(review.spec)
    seen: Counter[str] = Counter()
    results = [_result(f, index[f.rule], places, review.project, seen) for f in found]
    files = {span.file for f in found if (span := places.or_top(f.address))}
    return log([_rule(rule) for rule in rules], results, files)


def _rule(rule: str) -> dict[str, Any]:
    family = rule.partition("/")[0]
    return {
        "id": visible(rule, keep=""),
        "shortDescription": {"text": visible(title(rule), keep="")},
        "defaultConfiguration": {"level": _LEVELS[family]},
        "properties": {"tags": ["plan", family]},
    }


def _result(
    finding: ReviewFinding, rule: int, places: Places, project: str, seen: Counter[str]
) -> dict[str, Any]:
    address = visible(str(finding.address), keep="")
    message = visible(finding.message)
    said = message if address in message else f"{address}: {message}"
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": address, "kind": "resource"}]}
    if (span := places.or_top(finding.address)) is not None:
        location["physicalLocation"] = place(span)
    return {
        "ruleId": visible(finding.rule, keep=""),
        "ruleIndex": rule,
        "level": finding.level,
        "message": {"text": "\n".join(filter(None, (said, visible(finding.remedy))))},
        "locations": [location],
        "partialFingerprints": {"orchestra/v1": _fingerprint(finding, project, seen)},
    }


def _fingerprint(finding: ReviewFinding, project: str, seen: Counter[str]) -> str:
    """The same from run to run, whatever number of messages waits by then."""
    key = "\0".join((project, finding.rule, str(finding.address)))
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
