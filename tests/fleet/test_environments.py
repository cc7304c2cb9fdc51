"""Which databases `--env` means: single ones, the members of a fleet, patterns over both."""

from __future__ import annotations

import json

import pytest

from orchestra.cli import environments
from orchestra.errors import UsageError
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec

HEAD = "version: 1\nproject: shop\nworkloads: {}\nenvironments:\n"
PASSWORD = "hunter2"
URL = "postgresql://app:hunter2@db.example.com/{}"


def spec(*lines: str) -> Spec:
    text = HEAD + "".join(f"  {line}\n" for line in lines)
    found = parse_spec(text, "orchestra.yaml")
    assert found.spec is not None, found.diagnostics
    return found.spec


SHOP = spec(
    "production: {database: {env: PROD}, protect: true}",
    "preview: {database: {env: PREVIEW}, paused: true}",
    "tenant: {databases: {env: TENANTS}, paused: true}",
    "tenant-eu: {databases: {env: TENANTS_EU}, protect: true}",
)


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROD", URL.format("prod"))
    monkeypatch.setenv("PREVIEW", URL.format("preview"))
    monkeypatch.setenv("TENANTS", f"# ours\n\n  acme = {URL.format('acme')}\nbeta={URL.format('beta')}\n")
    monkeypatch.setenv("TENANTS_EU", json.dumps({"acme": URL.format("eu_acme")}))


def names(*patterns: str) -> list[str]:
    return [place.name for place in environments.matching(SHOP, patterns)]


def test_a_pattern_stands_for_what_it_matches_in_order_of_names() -> None:
    assert names("tenant-*") == ["tenant-acme", "tenant-beta", "tenant-eu-acme"]
    assert names("tenant-eu-*") == ["tenant-eu-acme"]
    assert names("*") == ["preview", "production", "tenant-acme", "tenant-beta", "tenant-eu-acme"]
    assert names("pr[eo]*") == ["preview", "production"]


def test_several_come_in_the_order_of_their_patterns_and_each_once() -> None:
    assert names("tenant-beta", "production", "tenant-*") == [
        "tenant-beta",
        "production",
        "tenant-acme",
        "tenant-eu-acme",
    ]


def test_a_member_has_the_settings_of_its_fleet_and_the_url_of_its_line() -> None:
    acme, eu = environments.matching(SHOP, ["tenant-acme", "tenant-eu-acme"])
    assert (acme.url, acme.paused, acme.protect) == (URL.format("acme"), True, None)
    assert (eu.url, eu.paused, eu.protect) == (URL.format("eu_acme"), False, True)
    assert PASSWORD not in repr(acme)


@pytest.mark.parametrize("pattern", ["staging-*", "tenant-?", "x*"])
def test_a_pattern_that_matches_nothing_says_what_there_is(pattern: str) -> None:
    with pytest.raises(UsageError, match="matches no environment") as error:
        names("production", pattern)
    assert "production" in error.value.remedy


@pytest.mark.parametrize(
    ("name", "message", "remedy"),
    [
        ("tenant", "tenant is a fleet of many databases", "--env 'tenant-*'"),
        ("tenant-gamma", "there is no tenant-gamma in TENANTS", "tenant-acme, tenant-beta"),
        ("prodction", "the spec has no environment 'prodction'", "did you mean production?"),
    ],
)
def test_a_single_name_that_is_none(name: str, message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as error:
        environments.one(SHOP, name)
    assert message in error.value.message
    assert remedy in error.value.remedy


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "which is not set"),
        ("# nothing", "holds no database"),
        ("acme", "line 1 has no database URL"),
        (PASSWORD, "line 1 has no database URL"),
        ("\nAcme=" + URL, "line 2 has no name"),
        (f"a={URL}\nb={URL}x\na={URL}y", "line 3 has a name that stands there before"),
        ("x" * 60 + "=" + URL, "line 1 has no name"),
        (f"a={URL}\nb=hunter2", "line 2 has no database URL"),
        ('{"a": ', "begins like JSON and is none"),
        ('{"a": 7, "b": "hunter2", "c": {"d": "hunter2"}}', "entry 1 has no database URL; entry 2"),
        (json.dumps({"a": URL})[:-1] + f', "a": "{URL}"}}', "entry 2 has a name that stands there before"),
        (f"a={URL}\nb={URL}", "tenant-a and tenant-b are the same database"),
        ("a=postgresql://app:hunter2@[/x", "the URL of tenant-a, from TENANTS, cannot be read"),
    ],
)
def test_a_variable_that_cannot_be_read_is_refused_without_a_word_of_it(
    monkeypatch: pytest.MonkeyPatch, value: str, message: str
) -> None:
    monkeypatch.setenv("TENANTS", value)
    with pytest.raises(UsageError) as error:
        names("tenant-*")
    assert message in error.value.message
    assert PASSWORD not in error.value.message + error.value.remedy


def test_a_variable_that_no_pattern_is_about_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENANTS")
    assert names("p*") == ["preview", "production"]
    for pattern in ("*", "tenant-*", "tenant-eu-*"):  # which could be a member of either
        with pytest.raises(UsageError, match="TENANTS, which is not set"):
            names(pattern)


def test_nothing_is_begun_where_a_variable_of_one_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREVIEW")
    with pytest.raises(UsageError, match="'preview' takes its database from PREVIEW, which is not set"):
        names("pr*")


def test_two_fleets_with_a_member_of_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANTS", f"eu-acme={URL.format('other')}")
    with pytest.raises(UsageError, match="two environments are called tenant-eu-acme"):
        names("tenant-*")


def test_a_database_by_db_needs_only_the_settings_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENANTS")
    place = environments.one(SHOP, "tenant-acme", look_up=False)
    assert (place.name, place.url, place.paused) == ("tenant-acme", None, True)


def test_names_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENANTS_EU")
    assert environments.names(SHOP) == ["preview", "production", "tenant-acme", "tenant-beta", "tenant-eu-*"]
