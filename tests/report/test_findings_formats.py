"""Findings for machines: JSON, GitHub annotations, SARIF."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from jsonschema import Draft202012Validator
from test_findings_text import FINDINGS, SOURCES

from orchestra.diagnostics import Diagnostic, Severity, Span
from orchestra.report import formats, github, sarif
from orchestra.report import json as as_json

SCHEMAS = Path(__file__).parents[2] / "schemas"


def test_the_formats_are_listed_once() -> None:
    assert [f.name for f in formats.FORMATS] == ["text", "json", "github", "sarif"]
    for chosen in formats.FORMATS:
        assert chosen.render(FINDINGS, SOURCES).endswith("\n")


def test_json_is_as_its_schema_says() -> None:
    schema = json.loads((SCHEMAS / "diagnostics.v1.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    document = json.loads(as_json.render(FINDINGS, SOURCES))
    Draft202012Validator(schema).validate(document)
    assert document["summary"] == {"errors": 3, "warnings": 2, "files": 2}


def test_json_of_nothing_is_still_a_document() -> None:
    assert json.loads(as_json.render([]))["diagnostics"] == []


def test_annotations_escape_what_would_end_them() -> None:
    found = Diagnostic(
        "E1", Severity.ERROR, "50%, a: b\nc\rd", Span("a,b:c%.yaml", 3, 5, 3, 9), "why", "help"
    )
    assert github.render([found]) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=3,endLine=3,col=5,endColumn=8,"
        "title=E1%3A 50%25%2C a%3A b%0Ac%0Dd::50%25, a: b%0Ac%0Dd%0Awhy: why%0Ahelp: help\n"
    )


def test_annotations_of_several_lines_have_no_end_column() -> None:
    found = Diagnostic("W1", Severity.WARNING, "m", Span("./x.yaml", 3, 5, 9, 2))
    assert github.render([found]) == "::warning file=x.yaml,line=3,endLine=9,col=5,title=W1%3A m::m\n"


def test_every_finding_is_one_line_of_annotations() -> None:
    assert github.render(FINDINGS).count("\n") == len(FINDINGS)


SARIF = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "rules"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "semanticVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
                                    "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "originalUriBaseIds": {"type": "object"},
                    "artifacts": {"type": "array", "items": {"required": ["location"]}},
                    "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                },
            },
        },
    },
    "$defs": {
        "message": {
            "type": "object",
            "required": ["text"],
            "additionalProperties": False,
            "properties": {"text": {}},
        },
        "rule": {
            "type": "object",
            "required": ["id", "shortDescription", "defaultConfiguration"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string"},
                "shortDescription": {"$ref": "#/$defs/message"},
                "fullDescription": {"$ref": "#/$defs/message"},
                "help": {"$ref": "#/$defs/message"},
                "defaultConfiguration": {
                    "properties": {"level": {"enum": ["none", "note", "warning", "error"]}}
                },
                "properties": {"properties": {"tags": {"type": "array", "uniqueItems": True}}},
            },
        },
        "place": {
            "type": "object",
            "required": ["artifactLocation", "region"],
            "properties": {
                "artifactLocation": {"required": ["uri"], "properties": {"uri": {"pattern": r"^[^\s\\]+$"}}},
                "region": {
                    "additionalProperties": False,
                    "properties": {
                        key: {"type": "integer", "minimum": 1}
                        for key in ("startLine", "startColumn", "endLine", "endColumn")
                    },
                },
            },
        },
        "result": {
            "type": "object",
            "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": {"enum": ["warning", "error"]},
                "message": {"$ref": "#/$defs/message"},
                "locations": {"items": {"properties": {"physicalLocation": {"$ref": "#/$defs/place"}}}},
                "relatedLocations": {
                    "items": {
                        "required": ["id", "message"],
                        "properties": {"physicalLocation": {"$ref": "#/$defs/place"}},
                    }
                },
                "partialFingerprints": {"additionalProperties": {"type": "string"}},
            },
        },
    },
}
"""The part of SARIF 2.1.0 that is used, written from the standard."""


def test_sarif_has_the_structure_of_the_standard() -> None:
    document = json.loads(sarif.render(FINDINGS, SOURCES))
    Draft202012Validator(SARIF).validate(document)
    run = document["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == sorted({d.code for d in FINDINGS})
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"])


def test_sarif_takes_its_rules_from_the_rules_where_they_are_known() -> None:
    doc = SimpleNamespace(code="E301", title="The lease is shorter than the work", why="It runs twice.")
    rules = json.loads(sarif.render(FINDINGS, SOURCES, rules=[doc]))["runs"][0]["tool"]["driver"]["rules"]
    assert {"text": doc.title} in [rule["shortDescription"] for rule in rules]


def test_a_fingerprint_stays_when_lines_come_before_it() -> None:
    def prints(sources: dict[str, str], shift: int) -> set[str]:
        moved = [
            Diagnostic(d.code, d.severity, d.message, Span("a", 2 + shift, 1, 2 + shift, 2))
            for d in FINDINGS[:2]
        ]
        results = json.loads(sarif.render(moved, sources))["runs"][0]["results"]
        return {r["partialFingerprints"]["orchestra/v1"] for r in results}

    assert prints({"a": "x\ny\n"}, 0) == prints({"a": "#\n#\nx\ny\n"}, 2)


@pytest.mark.parametrize(
    ("file", "uri"), [("a b/ü.yaml", "a%20b/%C3%BC.yaml"), ("/x/y.yaml", "file:///x/y.yaml")]
)
def test_files_are_uris_in_sarif(file: str, uri: str) -> None:
    document = json.loads(sarif.render([Diagnostic("E1", Severity.ERROR, "m", Span(file, 1, 1, 1, 2))]))
    assert document["runs"][0]["artifacts"][0]["location"]["uri"] == uri
