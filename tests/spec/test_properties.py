"""What holds for every spec, whatever its text."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from yaml.nodes import Node

from orchestra.spec import parse, parse_spec
from orchestra.spec.careful import careful_data
from orchestra.spec.compose import compose
from orchestra.spec.decode import decode
from orchestra.spec.explain import file_errors
from orchestra.spec.schema import file_is_valid
from orchestra.spec.tree import UnusualError, plain_data

names = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,5})?", fullmatch=True)
durations = st.builds(
    lambda n, u: f"{n}{u}", st.integers(1, 9_999), st.sampled_from(["ms", "s", "m", "h", "d"])
)
words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn", "Co"]), max_size=30
).filter(lambda t: "\ufeff" not in t)
blocks = st.fixed_dictionaries({"max": durations}, optional={"typical": durations, "cpu": durations})
triggers = st.one_of(
    st.just("manual"),
    st.builds(lambda a: {"http": {"auth": a}}, st.sampled_from(["jwt", "secret", "none"])),
    st.builds(lambda e: {"schedule": {"every": e}}, durations),
    st.builds(
        lambda e: {"table": {"name": "public.t", "on": e}},
        st.lists(st.sampled_from(["insert", "update"]), min_size=1, max_size=1),
    ),
)
workloads = st.fixed_dictionaries(
    {"trigger": triggers | st.lists(triggers, min_size=1, max_size=3), "duration": blocks},
    optional={
        "summary": words,
        "fan_out": st.fixed_dictionaries({"max": st.integers(1, 10_000_000)}),
        "batch_size": st.integers(1, 1_000),
        "concurrency": st.fixed_dictionaries(
            {}, optional={"limit": st.integers(1, 10_000), "per_worker": st.integers(1, 1_000)}
        ),
        "retry": st.fixed_dictionaries(
            {},
            optional={
                "max_attempts": st.integers(1, 1_000),
                "backoff": st.fixed_dictionaries(
                    {}, optional={"initial": durations, "factor": st.integers(1, 100)}
                ),
            },
        ),
        "timeout": durations,
        "paused": st.booleans(),
        "protect": st.booleans(),
        "run": st.fixed_dictionaries({"sql": words.filter(bool)}),
    },
)
specs = st.fixed_dictionaries(
    {"version": st.just(1), "project": names},
    optional={
        "workloads": st.dictionaries(names, workloads, max_size=4),
        "platform": st.fixed_dictionaries({}, optional={"plan": st.sampled_from(["free", "pro"])}),
        "secrets": st.dictionaries(names.map(lambda n: n.replace("-", "_")), st.just({"vault": "v"}), max_size=3),
    },
)  # fmt: skip


def as_flow(data: Any, draw: Any = None) -> str:
    """Data as flow YAML (which JSON is), the keys in an order that is drawn."""
    if isinstance(data, dict):
        keys = list(data) if draw is None else draw(st.permutations(list(data)))
        return "{" + ", ".join(f"{json.dumps(k)}: {as_flow(data[k], draw)}" for k in keys) + "}"
    if isinstance(data, list):
        return "[" + ", ".join(as_flow(item, draw) for item in data) + "]"
    return json.dumps(data, ensure_ascii=False)


@settings(max_examples=60, deadline=None)
@given(specs, st.data())
def test_the_order_of_keys_and_workloads_never_matters(data: dict[str, Any], drawn: st.DataObject) -> None:
    one, other = parse_spec(as_flow(data)), parse_spec(as_flow(data, drawn.draw))
    assert one.diagnostics == other.diagnostics == ()
    assert one.spec is not None
    assert one.spec == other.spec


@settings(max_examples=60, deadline=None)
@given(specs)
def test_what_was_written_arrives(data: dict[str, Any]) -> None:
    spec = parse_spec(as_flow(data)).spec
    assert spec is not None
    assert spec.project == data["project"]
    assert [w.name for w in spec.workloads] == sorted(data.get("workloads", {}))
    for one in spec.workloads:
        written = data["workloads"][one.name]
        assert one.summary == written.get("summary", "")
        assert one.batch_size == written.get("batch_size", 10)
        assert one.retry.max_attempts == written.get("retry", {}).get("max_attempts", 5)
        assert one.protect == written.get("protect")
        assert set(written) <= one.written
        assert (one.timeout_ms == one.durations.max_ms) or "timeout" in written


texts = st.text(max_size=200) | st.text(st.sampled_from("{}[]:,-&*!|>'\"#%@`?\n \tab1~<=."), max_size=80)


@settings(max_examples=400, deadline=None)
@given(texts)
def test_no_text_raises(text: str) -> None:
    result = parse_spec(text)
    assert result.spec is not None or result.diagnostics
    for finding in result.diagnostics:
        assert finding.span.line >= 1
        assert finding.span.column >= 1


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    text, found = decode(data, "x.yaml")
    assert (text is None) == bool(found)
    if text is not None:
        parse(text, "x.yaml")


@settings(max_examples=200, deadline=None)
@given(specs, st.data())
def test_no_damage_to_a_spec_raises(data: dict[str, Any], drawn: st.DataObject) -> None:
    text = as_flow(data)
    start = drawn.draw(st.integers(0, len(text)))
    end = drawn.draw(st.integers(start, min(len(text), start + 20)))
    parse_spec(text[:start] + drawn.draw(texts) + text[end:])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=10,
)
keys = (
    st.sampled_from(["version", "project", "workloads", "defaults", "requires", "trigger", "retry", "max"])
    | words
)


@settings(max_examples=200, deadline=None)
@given(specs, st.data())
def test_the_fast_and_the_explaining_validator_agree(data: dict[str, Any], drawn: st.DataObject) -> None:
    data = deepcopy(data)  # strategies share the dicts that they draw
    place: Any = data
    while isinstance(place, dict) and place and drawn.draw(st.booleans()):
        key = drawn.draw(st.sampled_from(list(place)))
        if not isinstance(place[key], dict):
            break
        place = place[key]
    place[drawn.draw(keys)] = drawn.draw(json_values)
    assert file_is_valid(data) == (not file_errors(data))


@settings(max_examples=200, deadline=None)
@given(texts | specs.map(as_flow))
def test_the_fast_and_the_careful_reading_agree(text: str) -> None:
    root: Node | None = compose(text, "x.yaml")[0]
    if root is None or "&" in text:
        return
    try:
        fast = plain_data(root)
    except UnusualError:
        return
    assert careful_data(root, "x.yaml") == (fast, [])


schema_words = st.sampled_from(
    ["$ref", "$defs", "$schema", "$id", "$anchor", "type", "properties", "items", "allOf"]
)
schema_values = st.recursive(
    st.sampled_from(["#", "#/$defs/a", "object", "string", "x.json", "urn:x"]) | json_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(schema_words | words, inner, max_size=4),
    max_leaves=8,
)
INCLUDING = (
    "version: 1\nproject: a\nworkloads: {a: {trigger: manual, duration: {max: 1s}, payload_schema: p.json}}\n"
)


@settings(max_examples=300, deadline=None)
@given(texts | schema_values.map(json.dumps))
def test_no_payload_schema_raises(schema: str) -> None:
    result = parse_spec(INCLUDING, includes={"p.json": schema})
    assert result.spec is not None
    one = result.spec.workloads[0]
    assert (one.payload_schema_json is None) == bool(result.diagnostics)
