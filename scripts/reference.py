"""The reference pages that are made from the spec's schema, the commands and the published schemas.

`python scripts/reference.py` writes them to docs/reference; `make docs` runs it. A test fails where they are out of
date.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import yaml

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "reference"
_MADE = "<!-- Made by scripts/reference.py: change what it is made from, then `make docs`. -->\n\n"


def pages() -> dict[str, str]:
    """File name -> text of each page of docs/reference."""
    schema = json.loads((ROOT / "schemas" / "orchestra.v1.schema.json").read_text(encoding="utf-8"))
    return {
        "spec.md": spec_page(schema),
        "cli.md": cli_page(),
        "formats.md": formats_page(),
        "shop.svg": shop_graph(),
    }


def shop_graph() -> str:
    """What `orchestra graph --format svg` draws of examples/shop, for the first page."""
    from click.testing import CliRunner

    from orchestra.cli.root import root

    shop = ROOT / "examples" / "shop"
    files = [str(shop / name) for name in ("orchestra.yaml", "edge.yaml")]
    return CliRunner().invoke(root, ["graph", *files, "--format", "svg"], catch_exceptions=False).stdout


# The spec


def spec_page(schema: Mapping[str, Any]) -> str:
    """Every key with its type, bounds, whether it is needed, what it means and an example. Pure."""
    out = [
        "# The spec, version 1\n\n",
        _MADE,
        "Every key of a spec, from the JSON Schema that `orchestra schema` prints. Keys that are not here are errors. "
        "Durations are `250ms`, `30s`, `5m`, `2h`, `7d`; rates are `20/s`, `500/m`. The rules that go beyond the form "
        "are [the codes of check](../rules/README.md).\n",
    ]
    out += _keys(schema, schema, "", 2)
    return "".join(out)


def _keys(schema: Mapping[str, Any], node: Mapping[str, Any], path: str, level: int) -> Iterator[str]:
    needed = set(node.get("required", ()))
    for name, raw in node.get("properties", {}).items():
        found = _resolved(schema, raw)
        here = f"{path}.{name}" if path else name
        yield f"\n{'#' * min(level, 4)} `{here}`\n\n"
        facts = [_type(schema, found), *_bounds(found)]
        if name in needed:
            facts.append("needed")
        yield f"*{' · '.join(facts)}*\n\n{found.get('description', '')}\n"
        yield from _example(name, found)
        yield from _below(schema, found, here, level + 1)


def _below(schema: Mapping[str, Any], node: Mapping[str, Any], path: str, level: int) -> Iterator[str]:
    if "properties" in node:
        yield from _keys(schema, node, path, level)
    each = node.get("additionalProperties")
    if isinstance(each, Mapping):
        yield from _below(schema, _resolved(schema, each), f"{path}.NAME", level)
    if isinstance(node.get("items"), Mapping):
        yield from _below(schema, _resolved(schema, node["items"]), f"{path}[]", level)
    seen: set[str] = set()
    for way in (*node.get("oneOf", ()), *node.get("anyOf", ())):
        found = _resolved(schema, way)
        fresh = {k: v for k, v in found.get("properties", {}).items() if k not in seen}
        seen |= set(fresh)
        if fresh:
            yield from _keys(schema, {**found, "properties": fresh}, path, level)


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node with what it refers to; what stands in the node itself counts more."""
    if "$ref" not in node:
        return node
    target = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return {**_resolved(schema, target), **{k: v for k, v in node.items() if k != "$ref"}}


def _type(schema: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    if "enum" in node:
        return "one of " + ", ".join(f"`{word}`" for word in node["enum"])
    if ways := (node.get("oneOf") or node.get("anyOf")):
        return " or ".join(dict.fromkeys(_type(schema, _resolved(schema, way)) for way in ways))
    kind = node.get("type", "any")
    if kind == "object":
        return "mapping"
    if kind == "array":
        items = _resolved(schema, node.get("items", {}))
        return f"list of {_type(schema, items)}"
    words = {"string": "text", "boolean": "true or false", "integer": "whole number", "number": "number"}
    return " or ".join(words.get(k, str(k)) for k in ([kind] if isinstance(kind, str) else kind))


def _bounds(node: Mapping[str, Any]) -> Iterator[str]:
    for key, word in (("minimum", "at least"), ("maximum", "at most"), ("exclusiveMinimum", "above")):
        if key in node:
            yield f"{word} {node[key]:,}"
    for key, word in (
        ("maxLength", "at most {:,} characters"),
        ("minItems", "at least {:,} entries"),
        ("maxItems", "at most {:,} entries"),
    ):
        if key in node:
            yield word.format(node[key])


def _example(name: str, node: Mapping[str, Any]) -> Iterator[str]:
    examples = node.get("examples", ())
    if not examples:
        return
    lines = [
        yaml.safe_dump(
            {name: value}, default_flow_style=None, sort_keys=False, width=96, allow_unicode=True
        ).rstrip()
        for value in examples
    ]
    body = "\n# or\n".join(lines)
    yield f"\n```yaml\n{body}\n```\n"


# The commands


def cli_page() -> str:
    """Every command with its arguments, options, defaults and example, as `--help` has them."""
    from orchestra.cli.root import root

    # Commands keep the help option that they are asked for first: it must be that of the program.
    context = click.Context(root, info_name="orchestra", **root.context_settings)
    out = [
        "# The commands\n\n",
        _MADE,
        "What `orchestra COMMAND --help` says. Which database a command takes, what exit codes mean and what options "
        "have in common: [the command line](../cli.md).\n",
    ]
    out += _exit_codes()
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None
        out += _command(command, name, context, 2)
    return "".join(out)


def _exit_codes() -> Iterator[str]:
    """The faults and their codes, as `orchestra.errors` draws them."""
    from orchestra import errors

    rows: dict[int, list[str]] = {}
    for found in vars(errors).values():
        if isinstance(found, type) and issubclass(found, errors.OrchestraError):
            rows.setdefault(found.exit_code, []).append(found.__name__)
    yield "\n## Exit codes by fault\n\nAs `orchestra.errors` has them for those who use it as a library.\n\n"
    yield "| Code | Faults |\n|---|---|\n"
    for code, names in sorted(rows.items()):
        yield f"| {code} | {', '.join(f'`{n}`' for n in names)} |\n"


def _command(command: click.Command, name: str, above: click.Context, level: int) -> Iterator[str]:
    context = click.Context(command, parent=above, info_name=name)
    yield f"\n{'#' * min(level, 4)} `{context.command_path}`\n\n"
    yield f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n\n"
    yield _prose(command.help or "")
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    if options:
        yield "\n| Option | Meaning |\n|---|---|\n"
        for option in options:
            yield _option(option, context)
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            if found is not None and not found.hidden:
                yield from _command(found, sub, context, level + 1)


def _option(option: click.Option, context: click.Context) -> str:
    found = option.get_help_record(context)
    left, right = found if found is not None else (", ".join(option.opts), option.help or "")
    right = " ".join(right.split()).replace("|", "\\|").replace("<", "&lt;")
    return f"| {_cell(left)} | {right} |\n"


def _cell(code: str) -> str:
    """Code in a table. Of a bar in backquotes GitHub and the site want different escapes, so it is HTML there."""
    if "|" not in code:
        return f"`{code}`"
    return f"<code>{code.replace('<', '&lt;').replace('|', '&#124;')}</code>"


def _prose(text: str) -> str:
    """Help as markdown: a paragraph that click is told not to wrap (\\b) is an example, or lines as they are."""
    out = []
    for part in re.split(r"\n\s*\n", textwrap.dedent(text).strip()):
        if not part.lstrip().startswith("\b"):
            out.append(" ".join(part.split()).replace("<", "&lt;") + "\n")
            continue
        lines = textwrap.dedent(part.replace("\b", "", 1)).strip("\n").split("\n")
        title = lines[0].rstrip() if lines and lines[0].rstrip().endswith(":") else ""
        body = textwrap.dedent("\n".join(lines[1:] if title else lines)).rstrip()
        out.append(f"{title}\n\n```text\n{body}\n```\n" if title else f"```text\n{body}\n```\n")
    return "\n".join(out)


# What machines read


def formats_page() -> str:
    """Each published JSON format: its name for `orchestra schema`, what it is, and its keys."""
    from orchestra.cli.schemas import NAMES

    out = [
        "# JSON output\n\n",
        _MADE,
        "What `--format json` prints and what is saved in files has a JSON Schema each, with every key described; "
        "`orchestra schema NAME` prints it. A new key or a new meaning is a new version.\n",
    ]
    for name, file in NAMES.items():
        if name == "spec":
            continue
        schema = json.loads((ROOT / "schemas" / f"{file}.schema.json").read_text(encoding="utf-8"))
        out.append(f"\n## `{name}`\n\n*{file}*. {schema.get('description', schema.get('title', ''))}\n\n")
        properties = _resolved(schema, schema).get("properties", {})
        if properties:
            out.append("| Key | Type | Meaning |\n|---|---|---|\n")
        for key, raw in properties.items():
            found = _resolved(schema, raw)
            said = " ".join(str(found.get("description", "")).split()).replace("|", "\\|")
            out.append(f"| `{key}` | {_type(schema, found)} | {said} |\n")
    return "".join(out)


def write(folder: Path, texts: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(FOLDER, pages())
