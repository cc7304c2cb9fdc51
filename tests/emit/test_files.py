"""Which files a spec makes, byte for byte the same each time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from emit_specs import DOOR, EXAMPLES, HOSTILE, load

import orchestra
from orchestra import __version__, library, pipeline
from orchestra.emit.functions import functions_of, mark, shared
from orchestra.errors import SpecError
from orchestra.ir.contract import contract_of

KINDS = """\
version: 1
project: shop
workloads:
  call-jwt: {trigger: {http: {auth: jwt}}, duration: {max: 5s}}
  call-secret: {trigger: {http: {auth: secret}}, duration: {max: 5s}}
  queued: {trigger: [manual, {http: {auth: jwt}}], duration: {max: 5s}}
  steps: {trigger: manual, steps: {one: {duration: {max: 5s}}}}
  in-sql: {trigger: manual, duration: {max: 5s}, run: {sql: "select 1 where $1 is null"}}
  on-schedule: {trigger: {schedule: {every: 5m}}, duration: {max: 5s}, run: {sql: "select 1"}}
  steps-in-sql:
    trigger: {http: {auth: none}}
    steps: {one: {duration: {max: 5s}, run: {sql: "select 1 where $1 is null"}}}
"""


def test_each_kind_of_workload_has_its_kind_of_function(tmp_path: Path) -> None:
    found = {f.name: f.kind for f in functions_of(load(KINDS + DOOR, tmp_path))}
    assert found == {
        "call-jwt": "call",
        "call-secret": "call",
        "queued": "queue",
        "steps": "pipeline",
        "steps-in-sql": "door",
        "taken-in": "door",
    }


def test_a_project_without_functions_has_no_files(tmp_path: Path) -> None:
    text = "version: 1\nproject: p\nworkloads:\n  a: {trigger: manual, duration: {max: 5s}, run: {sql: select 1}}\n"
    assert pipeline.emit_functions(load(text, tmp_path)) == {}


def test_the_runtime_comes_whole_and_without_its_tests(tmp_path: Path) -> None:
    files = pipeline.emit_functions(load(KINDS, tmp_path))
    runtime = {p.removeprefix("functions/_shared/orchestra/") for p in files if "_shared" in p}
    assert {"mod.ts", "types.ts", "hmac/stripe.ts", "hmac/standard-webhooks.ts"} <= runtime
    assert all(path.endswith(".ts") and "_test" not in path for path in runtime)
    assert runtime == shared.sources().keys()
    settings = json.loads(files["functions/queued/deno.json"])
    assert settings["imports"] == {"orchestra": "../_shared/orchestra/mod.ts", **shared.packages()}
    # Nothing is fetched in a version that nobody has tested.
    assert all(target.rpartition("@")[2][0].isdigit() for target in shared.packages().values())


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_written_as_its_golden_files(name: str, golden: Callable[[Path, str], None]) -> None:
    folder = Path(__file__).parent / "golden" / name
    made = pipeline.emit_functions(library.load(EXAMPLES[name]))
    files = {p: t for p, t in made.items() if "_shared" not in p and not p.endswith(".json")}
    for path, text in files.items():
        golden(folder / path, text.replace(f"orchestra {__version__} for", "orchestra VERSION for"))
    assert {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()} == set(files)


def test_the_same_spec_makes_the_same_bytes_whatever_its_order(tmp_path: Path) -> None:
    class Loader(yaml.SafeLoader):
        """Without YAML 1.1's booleans, which would make a key called `on` true."""

    Loader.yaml_implicit_resolvers = {
        start: [(tag, pattern) for tag, pattern in resolvers if not (tag.endswith(":bool") and start in "oO")]
        for start, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def turned(item: object) -> object:
        if isinstance(item, dict):
            return {key: turned(item[key]) for key in reversed(list(item))}
        return [turned(one) for one in item] if isinstance(item, list) else item

    text = HOSTILE + DOOR
    first = pipeline.emit_functions(load(text, tmp_path / "one"))
    again = pipeline.emit_functions(load(text, tmp_path / "two"))
    other = yaml.safe_dump(turned(yaml.load(text, Loader)), allow_unicode=True, sort_keys=False, width=1000)
    assert first == again == pipeline.emit_functions(load(other, tmp_path / "three"))
    assert list(first) == sorted(first)


def test_a_function_carries_the_contract_that_the_database_expects(tmp_path: Path) -> None:
    spec = load(KINDS, tmp_path)
    files = pipeline.emit_functions(spec)
    for workload in spec.workloads:
        if (path := f"functions/{workload.name}/workload.gen.ts") in files:
            assert f'contract: "{contract_of(workload)}"' in files[path]


def test_limits_are_no_part_of_what_is_deployed(tmp_path: Path) -> None:
    """Changing them needs an apply, and no deploy."""
    before = pipeline.emit_functions(load(KINDS, tmp_path / "before"))
    changed = KINDS.replace("max: 5s", "max: 7s").replace("queued: {", "queued: {retry: {max_attempts: 9}, ")
    assert pipeline.emit_functions(load(changed, tmp_path / "after")) == before


IMPORT = """\
version: 1
project: shop
workloads:
  import: {trigger: manual, duration: {max: 5s}, payload_schema: ./payload.json, batch_size: 5}
  other: {trigger: manual, duration: {max: 5s}}
"""
SKU = {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}


def announced(text: str, folder: Path, schema: object) -> dict[str, str]:
    """The version that each deployed function tells the database."""
    files = pipeline.emit_functions(load(text, folder, payload=schema))
    found: dict[str, str] = {}
    for name in ("import", "other"):
        [found[name]] = re.findall(r'contract: "([0-9a-f]{16})"', files[f"functions/{name}/workload.gen.ts"])
    return found


@pytest.mark.parametrize(
    "changed",
    [
        {**SKU, "required": []},
        {**SKU, "properties": {"sku": {"type": "integer"}}},
        {**SKU, "title": "A product"},
        {},
    ],
)
def test_another_payload_schema_is_another_version_of_its_workload_alone(
    tmp_path: Path, changed: object
) -> None:
    before = announced(IMPORT, tmp_path / "before", SKU)
    after = announced(IMPORT, tmp_path / "after", changed)
    assert after["import"] != before["import"]
    assert after["other"] == before["other"] != before["import"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("batch_size: 5", "batch_size: 20"),
        ("max: 5s", "max: 9s"),
        ("import: {", "import: {summary: Another, "),
        ("import: {", "import: {concurrency: {limit: 3}, "),
        ("trigger: manual", "trigger: [manual, {http: {auth: jwt}}]"),
    ],
)
def test_what_else_changes_is_the_same_version(tmp_path: Path, old: str, new: str) -> None:
    before = announced(IMPORT, tmp_path / "before", SKU)
    turned = {key: SKU[key] for key in reversed(SKU)}
    assert old in IMPORT
    assert announced(IMPORT.replace(old, new), tmp_path / "after", turned) == before


def test_the_library_refuses_what_the_rules_refuse(tmp_path: Path) -> None:
    spec = load(KINDS.replace("workloads:", "platform: {provider: postgres}\nworkloads:"), tmp_path)
    with pytest.raises(SpecError):
        orchestra.emit_functions(spec)


def test_a_mark_says_whose_a_file_is_and_whether_it_was_edited() -> None:
    text = mark.generated("export {};\n", version="1.2.3", project="shop", workload="a-b")
    found = mark.mark_of(text)
    assert found == mark.Mark("1.2.3", "shop", "a-b", intact=True)
    assert mark.mark_of(text.replace("\n", "\r\n")) == found
    edited = mark.mark_of(text + "// mine\n")
    assert edited is not None
    assert not edited.intact
    assert mark.mark_of("export {};\n" + text) is None
    whole = mark.mark_of(mark.shared("export {};\n", version="1.2.3"))
    assert whole == mark.Mark("1.2.3", None, None, intact=True)
    scaffold = mark.scaffold("export {};\n")
    assert mark.is_untouched_scaffold(scaffold)
    assert mark.is_untouched_scaffold(scaffold.replace("\n", "\r\n"))
    assert not mark.is_untouched_scaffold(scaffold + "\n")
    assert mark.mark_of(scaffold) is None
