"""A value knows where it was written."""

from __future__ import annotations

from spec.helpers import spec_of

TEXT = """\
version: 1
project: shop
environments:
  prod: {database: {env: URL}}
workloads:
  import:
    trigger:
      - http: {auth: jwt}
      - manual
    duration: {max: 20s, typical: 1s}
    retry:
      max_attempts: 3
    run:
      sql: |
        select 1
"""
ONE = spec_of(TEXT).workloads[0]


def words(path: str, *, key: bool = False) -> str:
    span = ONE.at(path, key=key)
    assert span.line == span.end_line
    return TEXT.split("\n")[span.line - 1][span.column - 1 : span.end_column - 1]


def test_a_value_is_pointed_at_by_its_path() -> None:
    assert words("duration.max") == "20s"
    assert words("retry.max_attempts") == "3"
    assert words("trigger.0.http.auth") == "jwt"
    assert words("trigger.1") == "manual"
    assert words("duration") == "{max: 20s, typical: 1s}"


def test_a_key_is_pointed_at_on_demand() -> None:
    assert words("duration.max", key=True) == "max"
    assert words("", key=True) == "import"


def test_a_block_is_pointed_at_by_its_key() -> None:
    assert words("retry") == "retry"
    assert words("") == "import"


def test_what_was_not_written_is_the_nearest_thing_around_it() -> None:
    assert words("retry.backoff.initial") == "retry"
    assert words("timeout") == "import"
    assert words("trigger.7") == "trigger"
    assert words("duration.max.deeper") == "max"


def test_a_block_text_begins_at_its_bar() -> None:
    assert (ONE.at("run.sql").line, ONE.at("run.sql").column) == (14, 12)


def test_the_top_level_has_places_too() -> None:
    spec = spec_of(TEXT)
    assert spec.at("project").line == 2
    assert spec.at("environments.prod.database.env").column == 26
    assert spec.at("workloads.import.duration").line == 10
    assert spec.at("secrets").line == 1
