"""A plan as a file: back and forth, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_plans as plans
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orchestra.errors import UsageError
from orchestra.ir.program import Address
from orchestra.plan.model import (
    Action,
    Blocker,
    Category,
    Change,
    Condition,
    Difference,
    Fact,
    FieldChange,
    Hazard,
    Plan,
    Target,
)
from orchestra.report import diff_json, plan_json

SCHEMAS = Path(__file__).parents[2] / "schemas"
SECRET = "sb_secret_0123456789abcdef"

words = st.text(max_size=12)
kinds = st.text(st.characters(exclude_characters="."), min_size=1, max_size=8)
addresses = st.builds(Address, kinds, words)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
few = {"max_size": 3}
changes = st.builds(
    Change,
    address=addresses,
    action=st.sampled_from(Action),
    category=st.sampled_from(Category),
    reasons=st.lists(words, **few).map(tuple),
    fields=st.lists(st.builds(FieldChange, words, values, values), **few).map(tuple),
    hazards=st.lists(st.builds(Hazard, words, words, st.booleans(), st.booleans(), words), **few).map(tuple),
    facts=st.lists(st.builds(Fact, words, words, values), **few).map(tuple),
    statements=st.lists(words, **few).map(tuple),
    before=words,
    drift=st.booleans(),
    moved_from=st.none() | addresses,
    takes=words,
)


@st.composite
def some_plans(draw: Any) -> Plan:
    found = tuple(draw(st.lists(changes, max_size=4)))
    desired = draw(
        st.dictionaries(addresses, st.none() | st.dictionaries(words, values, max_size=3), max_size=3)
    )
    return Plan(
        project=draw(words),
        target=Target(*(draw(words) for _ in range(7))),
        tool_version=draw(words),
        changes=found,
        conditions=tuple(draw(st.lists(st.builds(Condition, words, addresses, words, words), **few))),
        blockers=tuple(
            draw(st.lists(st.builds(Blocker, words, addresses, words, words, st.integers(0, 99)), **few))
        ),
        batches=(len(found),) if found else (),
        desired=tuple(desired.items()),
        unchanged=draw(st.integers(0, 9999)),
        round_trips=draw(st.integers(0, 99)),
        destroying=draw(st.booleans()),
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some_plans())
def test_a_plan_comes_back_as_it_was(plan: Plan) -> None:
    text = plan_json.dump(plan)
    assert plan_json.load(text) == plan
    assert plan_json.dump(plan_json.load(text)) == text
    assert text.isascii()


@pytest.mark.parametrize("plan", [plans.FULL, plans.EMPTY, plans.large(50)])
def test_a_plan_is_as_its_schema_says(plan: Plan) -> None:
    schema = json.loads((SCHEMAS / "plan.v2.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(plan_json.dump(plan)))


def test_a_difference_is_as_its_schema_says() -> None:
    schema = json.loads((SCHEMAS / "diff.v2.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    for found in (plans.DIFFERENCE, Difference("shop", "")):
        text = diff_json.dump(found)
        Draft202012Validator(schema).validate(json.loads(text))
        assert text.isascii()


def test_the_schemas_say_the_same_of_a_change() -> None:
    plan, diff = (json.loads((SCHEMAS / f"{n}.schema.json").read_text()) for n in ("plan.v2", "diff.v2"))
    assert plan["$defs"] == diff["$defs"]
    actions = plan["$defs"]["change"]["properties"]
    assert actions["action"]["enum"] == [a.value for a in Action]
    assert actions["category"]["enum"] == [c.value for c in Category]


def test_the_digest_is_what_the_file_says() -> None:
    assert json.loads(plan_json.dump(plans.FULL))["plan_hash"] == plan_json.digest(plans.FULL)


def test_a_file_of_the_format_before_is_read() -> None:
    """It was written by the version that knew no moves, and has never been changed."""
    text = Path(__file__).with_name("plan_format_1.json").read_text(encoding="utf-8")
    Draft202012Validator(json.loads((SCHEMAS / "plan.v1.schema.json").read_text())).validate(json.loads(text))
    plan = plan_json.load(text)
    assert [str(c.address) for c in plan.changes] == [c["address"] for c in json.loads(text)["changes"]]
    assert {c.moved_from for c in plan.changes} == {None}
    assert json.loads(plan_json.dump(plan))["format_version"] == plan_json.FORMAT_VERSION
    with pytest.raises(UsageError, match="changed after it was made"):
        plan_json.load(text.replace("shop", "shed", 1))


def edited(change: Any, *, rehash: bool = True) -> str:
    """The file of a plan after `change(document)`, with a hash that fits it again or not."""
    document = json.loads(plan_json.dump(plans.FULL))
    change(document)
    if rehash:
        document.pop("plan_hash", None)
        document["plan_hash"] = plan_json._hash(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "no plan"),
        ("{}", "no plan"),
        ('{"version": 1}', "no plan"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": NaN}', "no JSON"),
        ("[" * 100_000, "nested too deeply"),
        (edited(lambda d: d.update(format_version=3)), "format 3, and this orchestra reads 1 to 2"),
        (edited(lambda d: d.update(format_version=0)), "format 0, and this orchestra reads 1 to 2"),
        (edited(lambda d: d.update(format_version=1)), "is not known"),
        (edited(lambda d: d.update(format_version=True)), "format True"),
        (edited(lambda d: d.update(project="other"), rehash=False), "changed after it was made"),
        (edited(lambda d: d["changes"][0]["statements"].append("drop x"), rehash=False), "changed after"),
        (edited(lambda d: d.update(plan_hash=7), rehash=False), "changed after"),
        (edited(lambda d: d.pop("project")), "project is missing"),
        (edited(lambda d: d.update(extra=1)), "extra is not known"),
        (edited(lambda d: d["changes"][0].update(extra=1)), r"changes[0].extra is not known"),
        (edited(lambda d: d["changes"][0].update(action="explode")), "explode"),
        (edited(lambda d: d["changes"][0].update(drift=1)), "changes[0].drift is not true or false"),
        (edited(lambda d: d["changes"][0].update(address="queue")), "'queue' is no address"),
        (edited(lambda d: d.update(batches=[3])), "batches do not add up"),
        (edited(lambda d: d.update(batches=[-1, 9])), "whole number"),
        (edited(lambda d: d.update(desired=d["desired"][:1] * 2)), "desired twice"),
        (edited(lambda d: d.update(changes={})), "changes is not a list"),
        (edited(lambda d: d.update(target=[])), "target is not an object"),
    ],
)
def test_what_is_no_sound_plan_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan_json.load(text)
    assert said in caught.value.message
    assert caught.value.remedy
    assert caught.value.exit_code == 64


def with_secret(**where: Any) -> Plan:
    change = replace(plans.CREATE_QUEUE, **where)
    return replace(plans.EMPTY, changes=(change,), batches=(1,))


def test_a_secret_that_only_people_would_see_is_masked_and_the_plan_stays_runnable() -> None:
    plan = with_secret(fields=(FieldChange("command", f"select '{SECRET}'", "select 1"),))
    text = plan_json.dump(plan)
    assert SECRET not in text
    assert plan_json.load(text).changes[0].statements == plan.changes[0].statements


def test_a_plan_that_would_run_a_secret_is_masked_and_not_runnable() -> None:
    for plan in (
        with_secret(statements=(f"select '{SECRET}'",)),
        replace(plans.EMPTY, desired=((Address("queue", "bulk-import"), {"sql": SECRET}),)),
    ):
        text = plan_json.dump(plan)
        assert SECRET not in text
        assert json.loads(text)["runnable"] is False
        with pytest.raises(UsageError, match=r"left out of queue\.bulk-import"):
            plan_json.load(text)


def test_a_number_that_is_no_json_is_never_written() -> None:
    with pytest.raises(ValueError):
        plan_json.dump(with_secret(fields=(FieldChange("x", None, float("nan")),)))
