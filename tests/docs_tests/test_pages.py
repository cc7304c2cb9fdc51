"""Every command, statement and spec that README and docs show does what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from engines import Engine
from jsonschema import Draft202012Validator

from docs_tests import blocks
from docs_tests.places import PLACES, Place, place
from orchestra.check import check
from orchestra.cli import schemas
from orchestra.spec import parse_spec

PAGES = blocks.pages()
SHELL = ("sh", "console", "sql")
_KEYS = set(
    json.loads((blocks.ROOT / "schemas" / "orchestra.v1.schema.json").read_text(encoding="utf-8"))[
        "properties"
    ]
)


def _name(path: Path) -> str:
    return str(path.relative_to(blocks.ROOT))


RUNNING = [p for p in PAGES if any(b.language in SHELL and b.not_run is None for b in blocks.read(p).blocks)]
SPECS = [p for p in PAGES if blocks.read(p).of("yaml")]


@pytest.mark.parametrize("path", RUNNING, ids=_name)
def test_the_blocks_of_a_page_run_one_after_the_other(path: Path, embedded: Engine, tmp_path: Path) -> None:
    """Commands end with 0 unless the page shows what they print; what is printed is what the page shows."""
    page = blocks.read(path)
    assert page.setup in PLACES, f"{_name(path)}: `<!-- setup: {page.setup} -->` is none of {sorted(PLACES)}"
    with embedded.run_ticker():
        here = place(page.setup, embedded, tmp_path)
        try:
            for block in page.blocks:
                if block.file is not None:
                    here.write(block.file, block.text)
                elif block.language in SHELL and block.not_run is None:
                    _run(here, block, f"{_name(path)}:{block.line}")
        finally:
            here.close()


def _run(here: Place, block: blocks.Block, where: str) -> None:
    if block.language == "console":
        for command in blocks.commands(block):
            code, said = here.run(command.script)
            assert blocks.fits(command.expected, said), (
                f"{where}: `{command.script}` ended with {code}:\n{said}"
            )
            assert code == 0 or command.expected.strip(), f"{where}: `{command.script}`:\n{said}"
        return
    script = (
        block.text if block.language == "sh" else f"psql -q -v ON_ERROR_STOP=1 <<'SQL'\n{block.text}\nSQL"
    )
    code, said = here.run(script)
    assert code == 0, f"{where} ended with {code}:\n{block.text}\n--\n{said}"


def test_what_is_not_run_says_why() -> None:
    """A reason that is a sentence's worth, and few of them: a block that could run has to."""
    left = [(p, b) for p in PAGES for b in blocks.read(p).blocks if b.not_run is not None]
    for path, block in left:
        assert len(block.not_run.split()) >= 3, f"{_name(path)}:{block.line}: {block.not_run!r} is no reason"
    print("\n".join(f"{_name(path)}:{block.line} not run: {block.not_run}" for path, block in left))


@pytest.mark.parametrize("path", SPECS, ids=_name)
def test_the_specs_of_a_page_are_specs(path: Path) -> None:
    """A part of a spec is completed by what the page leaves out, and the form of the whole is judged."""
    page = blocks.read(path)
    beside = {b.file: b.text for b in page.of("json") if b.file is not None}
    for block in page.of("yaml"):
        where = f"{_name(path)}:{block.line}"
        data = yaml.safe_load(block.text)
        if block.not_a_spec is not None:
            assert not (isinstance(data, dict) and set(data) <= _KEYS), f"{where}: it is one"
            continue
        text = _completed(block.text, data)
        parsed = parse_spec(text, includes={"payloads/product.json": '{"type": "object"}', **beside})
        wrong = [d for d in parsed.diagnostics if d.is_error]
        if parsed.spec is not None:
            wrong += [d for d in check(parsed.spec) if d.is_error and d.code[1] in "125"]
        assert not wrong, f"{where}: " + "; ".join(f"{d.code} {d.span} {d.message}" for d in wrong)


def _completed(text: str, data: dict[str, object]) -> str:
    """`version`, `project`, what a workload cannot do without; keys of a workload are those of one called `work`."""
    if "version" in data:
        return text
    whole: dict[str, object] = {"version": 1, "project": "shop"}
    if set(data) <= _KEYS:
        whole |= data
    else:
        whole["workloads"] = {"work": data}
    workloads = whole.setdefault("workloads", {"work": {}})
    assert isinstance(workloads, dict)
    for name in workloads:
        work = dict(workloads[name] or {})
        work.setdefault("trigger", "manual")
        if "steps" not in work:
            work.setdefault("duration", {"max": "5s"})
        workloads[name] = work
    return yaml.safe_dump(whole, sort_keys=False)


@pytest.mark.parametrize("path", [p for p in PAGES if blocks.read(p).of("json")], ids=_name)
def test_the_json_of_a_page_is_what_its_schema_says(path: Path) -> None:
    for block in blocks.read(path).of("json"):
        data = json.loads(block.text)
        where = f"{_name(path)}:{block.line}"
        assert block.file or block.schema, f"{where}: say which schema it has, `<!-- schema: NAME -->`"
        if block.schema is not None:
            wrong = [
                e.message
                for e in Draft202012Validator(json.loads(schemas.text(block.schema))).iter_errors(data)
            ]
            assert wrong == [], where
