"""What each failed keyword of the schema is called in a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from yaml.nodes import ScalarNode

from orchestra.diagnostics import Diagnostic
from orchestra.spec.explain import Failure
from orchestra.spec.faults import fault
from orchestra.spec.scalars import hint
from orchestra.spec.unsupported import REFUSED_VALUES
from orchestra.spec.wording import cut, either, kind, shown, ticked

if TYPE_CHECKING:
    from orchestra.spec.phrase import Phrases

# How the patterns of durations and rates are told from others.
_DURATION: Final = "(ms|s|m|h|d)"
_RATE: Final = "/(s|m|h)"


def lower(sentence: str) -> str:
    keep = (sentence[:2].isupper() and sentence[1] != " ") or sentence.startswith("pgmq")
    return (sentence[:1] if keep else sentence[:1].lower()) + sentence[1:].rstrip(".")


def _required(p: Phrases, error: Failure, path: tuple[str | int, ...]) -> Diagnostic:
    missing = next(name for name in error.wanted if name not in error.found)
    return fault(
        "E121",
        f"{p.called(path)} needs `{missing}`",
        p.at(path, key=True),
        why=str(error.schema.get("properties", {}).get(missing, {}).get("description", "")),
        help=f"Add `{missing}: {_example(error.schema.get('properties', {}).get(missing, {}))}`.",
    )


def _dependent(p: Phrases, error: Failure, path: tuple[str | int, ...]) -> Diagnostic:
    key, missing = next(
        (key, name)
        for key, names in error.wanted.items()
        if key in error.found
        for name in names
        if name not in error.found
    )
    return fault(
        "E121",
        f"`{key}` needs `{missing}` beside it",
        p.at((*path, key), key=True),
        why=str(error.schema["properties"][missing].get("description", "")),
        help=f"Add `{missing}: {_example(error.schema['properties'][missing])}`.",
    )


def _type(p: Phrases, error: Failure, path: tuple[str | int, ...]) -> Diagnostic:
    return _wrong_kind(p, error, path, kind(error.wanted))


def _wrong_kind(p: Phrases, error: Failure, path: tuple[str | int, ...], wanted: str) -> Diagnostic:
    form, found = str(error.schema.get("pattern", "")), error.found
    number = isinstance(found, int | float) and not isinstance(found, bool)
    remedy = _disagreed(p, error, path)
    if number and _DURATION in form:
        wanted, remedy = "a duration", f"Add the unit: `{found}s` or `{found}ms`."
    elif number and _RATE in form:
        wanted, remedy = "a rate", f"Add the unit: `{found}/s` or `{found}/m`."
    elif number and wanted == "text":
        remedy = f'Put it in quotes: `"{found}"`.'
    if not remedy:
        example = _example(error.schema)
        remedy = f"Write for example `{example}`." if example else ""
    return fault("E122", f"{p.called(path)} must be {wanted}, not {shown(found)}", p.at(path), help=remedy)


def _disagreed(p: Phrases, error: Failure, path: tuple[str | int, ...]) -> str:
    """The hint for an unquoted text that other YAML readers take for a number or a boolean."""
    node = p.node(path)
    plain = isinstance(error.found, str) and isinstance(node, ScalarNode) and not node.style
    return hint(error.found) if plain else ""


def _choice(p: Phrases, error: Failure, path: tuple[str | int, ...]) -> Diagnostic:
    values = error.wanted if error.keyword == "enum" else [error.wanted]
    written = error.found
    if path == ("version",) and not p.prefix:
        return fault(
            "E129",
            f"{shown(written)} is not a version of the format that this orchestra reads",
            p.at(path),
            why="A newer format could mean something else by the same keys.",
            help="Write `version: 1`, or use the orchestra that the spec was written for.",
        )
    refused = REFUSED_VALUES.get((p.object_at(path[:-1]), str(path[-1]) if path else "", str(written)))
    if refused is not None:
        return fault(
            "E128", f"`{written}` is not supported: {lower(refused[0])}", p.at(path), help=refused[1]
        )
    allowed = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
    remedy = "" if isinstance(values[0], str) else _disagreed(p, error, path)
    if values == ["manual"]:
        remedy = "`manual` alone is one word; the others say more, as in `{http: {auth: jwt}}`."
    if not remedy and isinstance(written, str) and written.lower() in allowed:
        remedy = f"Did you mean `{written.lower()}`?"
    return fault(
        "E123",
        f"{p.called(path)} must be {either(ticked(allowed))}, not {shown(written)}",
        p.at(path),
        why=str(error.schema.get("description", "")),
        help=remedy or f"Choose {either(ticked(allowed))}.",
    )


def _range(p: Phrases, error: Failure, path: tuple[str | int, ...]) -> Diagnostic:
    least, most = error.schema.get("minimum"), error.schema.get("maximum")
    bounds = f"between {least:,} and {most:,}" if most is not None else f"at least {least:,}"
    return fault(
        "E124",
        f"{p.called(path)} must be {bounds}, not {error.found}",
        p.at(path),
        why=str(error.schema.get("description", "")),
        help=f"Write for example `{_example(error.schema)}`.",
    )


def _form(p: Phrases, error: Failure, path: tuple[str | int, ...]) -> Diagnostic:
    rule = str(error.schema.get("description", ""))
    examples = [str(x) for x in error.schema.get("examples", [])]
    if not error.found:
        message = f"{p.called(path)} is empty"
    elif error.keyword == "maxLength":
        most = f"{error.wanted:,} characters"
        message = f"{p.called(path)} has {len(error.found):,} characters; at most {most} are allowed"
    else:
        message = f"{p.called(path)} cannot be read: `{cut(error.found)}`"
    help_text = f"Write for example {either(ticked(examples))}." if examples else ""
    return fault("E125", message, p.at(path), why=rule, help=_better(error, path) or help_text)


def _better(error: Failure, path: tuple[str | int, ...]) -> str:
    """A remedy for mistakes that are common."""
    last = path[-1] if path else ""
    text = str(error.found)
    if last == "payload_schema":
        return "Write a path relative to this file, such as `./payloads/product.json`; nothing is fetched."
    if (last == "relation" or path[-2:] == ("table", "name")) and "." not in text:
        return f"Name the schema as well: `public.{cut(text)}`."
    if text != text.strip():
        return "Remove the blanks and line breaks around it."
    if text.isdecimal() and _DURATION in str(error.wanted):
        return f"Add the unit: `{int(text[:18])}s` or `{int(text[:18])}ms`."
    if _DURATION in str(error.wanted) and any(c.isdigit() for c in text):
        return "Write one whole number and one unit: `90m`, not `1h30m` or `1.5h`."
    return ""


def _size(p: Phrases, error: Failure, path: tuple[str | int, ...]) -> Diagnostic:
    if error.keyword in ("minProperties", "maxProperties") and error.schema.get("maxProperties") == 1:
        return _exactly_one(p, path, list(error.schema["properties"]), [str(k) for k in error.found])
    things = "entries" if isinstance(error.found, dict) else "items"
    count = len(error.found)
    message = {
        "uniqueItems": f"{p.called(path)} names the same thing twice",
        "minItems": f"{p.called(path)} needs at least {error.wanted} {things} and has {count}",
        "minProperties": f"{p.called(path)} is empty",
    }.get(
        error.keyword,
        f"{p.called(path)} has {count:,} {things}; at most {error.wanted:,} are allowed",
    )
    example = _example(error.schema)
    return fault("E126", message, p.at(path), help=f"Write for example `{example}`." if example else "")


def _branches(p: Phrases, error: Failure, path: tuple[str | int, ...]) -> Diagnostic:
    branches = error.wanted
    if all(set(b) == {"required"} for b in branches):
        names = [b["required"][0] for b in branches]
        if isinstance(error.found, dict):
            return _exactly_one(
                p, path, names, [n for n in names if n in error.found], error.keyword == "anyOf"
            )
    wanted = [b["type"] for b in branches if "type" in b]
    forms = [[b["const"]] if "const" in b else b.get("enum", ()) for b in branches]
    words = [
        either(ticked(flow(form) for form in of)) if of else kind(name)
        for of, name in zip(forms, wanted, strict=False)
    ]
    return _wrong_kind(p, error, path, either(words))


def _exactly_one(
    p: Phrases, path: tuple[str | int, ...], names: Sequence[str], present: Sequence[str], more: bool = False
) -> Diagnostic:
    listed = either(ticked(names))
    if not present:
        return fault("E121", f"{p.called(path)} needs {listed}", p.at(path, key=True), help=f"Add {listed}.")
    have = " and ".join(ticked(present))
    return fault(
        "E127",
        f"{p.called(path)} has {have}; exactly one of {listed} may stand here",
        p.at((*path, present[-1]), key=True),
        why="It would not be clear which of them counts.",
        help="Remove all but one; several triggers are written as a list, one each."
        if "http" in names
        else "Remove all but one.",
    )


def _excluded(p: Phrases, error: Failure, path: tuple[str | int, ...]) -> Diagnostic:
    """`not: {required: [a, b]}`: keys that may be left out, and of which at most one may stand."""
    names: list[str] = list(error.wanted["required"])
    return _exactly_one(p, path, names, names)


def other(p: Phrases, error: Failure, path: tuple[str | int, ...]) -> Diagnostic:
    return fault(
        "E122", f"{p.called(path)} is not as the schema wants it: {cut(error.message, 200)}", p.at(path)
    )


def _example(schema: Mapping[str, Any]) -> str:
    """The first example of a schema as flow YAML."""
    examples = schema.get("examples", [])
    return flow(examples[0]) if examples else ""


def flow(value: Any) -> str:
    """A value as it would stand in flow style."""
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f"{k}: {flow(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(flow(v) for v in value) + "]"
        case str() if any(c in value for c in "*{}[],:'#&") or value[:1] in ">=":
            return '"' + value + '"'
    return str(value)


WORDS: Final[dict[str, Callable[[Phrases, Failure, tuple[str | int, ...]], Diagnostic]]] = {
    "required": _required,
    "dependentRequired": _dependent,
    "type": _type,
    "enum": _choice,
    "const": _choice,
    "minimum": _range,
    "maximum": _range,
    "pattern": _form,
    "minLength": _form,
    "maxLength": _form,
    "minItems": _size,
    "maxItems": _size,
    "uniqueItems": _size,
    "minProperties": _size,
    "maxProperties": _size,
    "anyOf": _branches,
    "oneOf": _branches,
    "not": _excluded,
}
