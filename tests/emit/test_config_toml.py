"""config.toml: our entries, and not a byte of anything else."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.emit.config_toml import ConfigFault, policy, updated

WANTED = {"bulk-import": False, "a": True}
OURS = """\
[functions.a]
verify_jwt = true # orchestra: shop

[functions.bulk-import]
verify_jwt = false # orchestra: shop
"""
SUPABASE = """\
# For detailed configuration reference documentation, visit:
project_id = "shop"

[api]
enabled = true   # spaced
schemas = ["public",
  "graphql_public"]  # over lines

[functions.hello]
verify_jwt = true
import_map = "./functions/hello/deno.json"
# Uncomment to specify a custom file path to the entrypoint.
# entrypoint = "./functions/hello/index.ts"

[edge_runtime]
policy = "oneshot"
text = '''
[functions.a]
verify_jwt = false
'''

# [experimental]
# the end
"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        SUPABASE,
        SUPABASE.replace("\n", "\r\n"),
        "functions.b.verify_jwt = true\nproject_id = 'x'\n",
        "[functions]\n",
        "[api]\n\n",
        "[api]\r\n\r\n\r\n",
    ],
)
def test_entries_come_at_the_end_and_go_without_a_trace(text: str) -> None:
    after = updated(text, "shop", WANTED)
    ours = OURS.replace("\n", "\r\n") if "\r\n" in text else OURS
    gap = ("\r\n" if "\r\n" in text else "\n") if text else ""
    assert after == text + gap + ours
    assert updated(after, "shop", WANTED) == after
    assert updated(after, "shop", {}) == text


def test_line_ends_of_both_sorts_stay_as_they_are() -> None:
    text = "[api]\r\nport = 1\n"
    assert updated(text, "shop", WANTED) == f"{text}\n{OURS}"


def test_a_file_without_a_last_line_end_gets_one() -> None:
    assert updated("[api]\nport = 1", "shop", WANTED) == f"[api]\nport = 1\n\n{OURS}"


def test_keys_that_the_user_wrote_in_a_table_stay() -> None:
    text = SUPABASE.replace("functions.hello", 'functions."bulk-import"').replace(
        "true\nimport", "true # why not\nimport"
    )
    after = updated(text, "shop", {"bulk-import": False})
    assert after == text.replace(
        "verify_jwt = true # why not", "verify_jwt = false # why not; orchestra: shop"
    )
    gone = updated(after, "shop", {})
    assert gone == text.replace("verify_jwt = true # why not\n", "")


def test_an_entry_that_is_right_already_is_left_to_whoever_wrote_it() -> None:
    text = "[functions.a]\nverify_jwt = true\n"
    assert updated(text, "shop", {"a": True}) == text
    assert updated(text, "shop", {}) == text


def test_a_key_that_is_missing_is_added_to_its_table() -> None:
    text = '[functions.a]\nimport_map = "x"\n# note\n\n[api]\nport = 1\n'
    assert updated(text, "shop", {"a": True}) == text.replace(
        "# note\n", "# note\nverify_jwt = true # orchestra: shop\n"
    )


def test_other_projects_and_scattered_tables_are_left_alone() -> None:
    text = (
        "[functions.theirs]\nverify_jwt = false # orchestra: my-shop\n\n[auth]\nsite_url = 'x'\n\n"
        "[functions.old]\nverify_jwt = false # orchestra: shop\n\n[storage]\nsize = 1\n"
    )
    assert updated(text, "shop", {}) == text.replace(
        "[functions.old]\nverify_jwt = false # orchestra: shop\n\n", ""
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[api\n", "is no TOML"),
        ("a = 1\na = 2\n", "is no TOML"),
        ("\ufeffa = 1\n", "is no TOML"),
        ("[[functions]]\nname = 'x'\n", "not a table of tables"),
        ("functions = 3\n", "not a table of tables"),
        ("functions = { b = { verify_jwt = true } }\n", "cannot be changed from here"),
    ],
)
def test_what_cannot_be_changed_is_said_with_the_lines_to_write(text: str, said: str) -> None:
    with pytest.raises(ConfigFault, match=said) as caught:
        updated(text, "shop", {"a": True})
    assert ("[functions.a]\nverify_jwt = true" in caught.value.lines) == ("from here" in said)


def test_the_policy_of_the_local_stack_is_read() -> None:
    assert policy(SUPABASE) == "oneshot"
    assert policy("") is None


_NAME = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
_LINE = st.sampled_from(
    [
        *("# a comment", "", "a = 1", "b.c = 'x'", 'd = """\n[functions.z]\n"""', "  e = [1, # x\n2]"),
        *("[api]", "[functions.q]", "[functions.a]", "[functions]", "[[list]]"),
        *("verify_jwt = true", "verify_jwt = false # orchestra: shop"),
    ]
)


@given(st.lists(_LINE, max_size=12), st.dictionaries(_NAME, st.booleans(), max_size=4))
def test_whatever_is_there_only_our_keys_change(lines: list[str], wanted: dict[str, bool]) -> None:
    text = "\n".join(lines) + "\n"
    try:
        before = tomllib.loads(text)
        after = updated(text, "shop", wanted)
    except (tomllib.TOMLDecodeError, ConfigFault):
        return
    assert updated(after, "shop", wanted) == after
    found = tomllib.loads(after)
    assert {n: t["verify_jwt"] for n, t in found.get("functions", {}).items() if n in wanted} == wanted
    rest = [{k: v for k, v in config.items() if k != "functions"} for config in (before, found)]
    assert rest[0] == rest[1]
    kept = [
        line for line in after.split("\n") if line and "verify_jwt" not in line and "[functions." not in line
    ]
    assert kept == [
        line for line in text.split("\n") if line and "verify_jwt" not in line and "[functions." not in line
    ]
