"""The JSON Schema is sound and explains every key."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from orchestra.spec.schema import SCHEMA_FILE, schema, schema_text

REPOSITORY = Path(__file__).parents[2]


def walk(node: Any, path: str = "#") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            if key not in ("examples", "enum", "const", "required"):
                yield from walk(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, f"{path}/{index}")


PLACES = [(path, node) for path, node in walk(dict(schema())) if "description" in node or "type" in node]
PROPERTIES = [
    (f"{path}/{name}", sub)
    for path, node in walk(dict(schema()))
    if isinstance(node.get("properties"), dict) and not path.endswith("/properties")
    for name, sub in node["properties"].items()
]


def test_the_schema_keeps_to_its_metaschema() -> None:
    Draft202012Validator.check_schema(dict(schema()))


@pytest.mark.parametrize(("path", "node"), PROPERTIES, ids=[p for p, _ in PROPERTIES])
def test_every_key_is_described_with_an_example(path: str, node: dict[str, Any]) -> None:
    assert node.get("description"), path
    assert node.get("examples"), path


@pytest.mark.parametrize(("path", "node"), PLACES, ids=[p for p, _ in PLACES])
def test_every_example_keeps_to_its_own_schema(path: str, node: dict[str, Any]) -> None:
    validator = Draft202012Validator({**node, "$defs": schema()["$defs"]})
    for example in node.get("examples", []):
        assert [e.message for e in validator.iter_errors(example)] == []


def test_no_object_takes_unknown_keys() -> None:
    for path, node in walk(dict(schema())):
        if node.get("type") == "object" and "$ref" not in node and not path.endswith("/properties"):
            assert "additionalProperties" in node, path


def test_every_list_and_every_map_of_names_is_bounded() -> None:
    for path, node in walk(dict(schema())):
        if node.get("type") == "array":
            assert "maxItems" in node or "enum" in node.get("items", {}), path


def test_an_editable_install_finds_the_schema_of_the_repository() -> None:
    assert json.loads(schema_text()) == json.loads((REPOSITORY / "schemas" / SCHEMA_FILE).read_text())


def test_an_installed_package_finds_its_own_schema(tmp_path: Path) -> None:
    site = tmp_path / "site"
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as wheel:
        for file in (REPOSITORY / "orchestra").rglob("*.py"):
            wheel.write(file, file.relative_to(REPOSITORY))
        wheel.writestr(f"orchestra/_schemas/{SCHEMA_FILE}", '{"title": "of the wheel"}')
    with zipfile.ZipFile(archive) as wheel:
        wheel.extractall(site)
    code = "from orchestra.spec import schema_text; print(schema_text())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == '{"title": "of the wheel"}', done.stderr
