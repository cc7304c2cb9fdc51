"""Data that does not keep to the schema -> findings in words, each at the very key or value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Final, cast

import jsonschema
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator

from orchestra.spec.limits import MAX_FINDINGS
from orchestra.spec.schema import file_schema, names_schema, top_schema, workload_schema
from orchestra.spec.tree import Data
from orchestra.spec.wording import is_kind


def _pattern(validator: Any, pattern: str, instance: Data, schema: Any) -> Iterator[ValidationError]:
    # `$` ends the text in JSON Schema; Python's also matches before a last line break.
    if isinstance(instance, str) and not re.search(re.sub(r"\$(?=\)|$)", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _unique(validator: Any, wanted: bool, instance: Data, schema: Any) -> Iterator[ValidationError]:
    # jsonschema compares each item with each; a hostile list would take hours.
    if wanted and isinstance(instance, list):
        texts = [json.dumps(item, sort_keys=True) for item in instance]
        if len(set(texts)) < len(texts):
            yield ValidationError("not unique")


def _unless_too_many(keyword: str, limit: str) -> Any:
    original = Draft202012Validator.VALIDATORS[keyword]

    def check(validator: Any, value: Any, instance: Data, schema: Any) -> Any:
        if isinstance(instance, dict | list) and len(instance) > schema.get(limit, len(instance)):
            return iter(())  # the limit itself is the finding
        return original(validator, value, instance, schema)

    return check


_Explainer: Final = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "pattern": _pattern,
        "uniqueItems": _unique,
        "items": _unless_too_many("items", "maxItems"),
        "additionalProperties": _unless_too_many("additionalProperties", "maxProperties"),
        "propertyNames": _unless_too_many("propertyNames", "maxProperties"),
    },
)


@cache
def _validator(which: Any) -> Validator:
    return cast(Validator, _Explainer(which()))


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed keyword: where in the data (`path`), what was found there, and the schema that it failed.

    `wanted` is the keyword's value. `name_of` marks the name of a key, not a value, as what failed.
    """

    keyword: str
    wanted: Any
    found: Data
    schema: Mapping[str, Any]
    path: tuple[str | int, ...]
    name_of: bool
    message: str


def file_errors(data: Data) -> list[ValidationError]:
    """What jsonschema finds in a whole file; for tests."""
    return list(_validator(file_schema).iter_errors(data))


def top_failures(data: Data) -> list[Failure]:
    """What is wrong in a file apart from the inside of its workloads."""
    return _leaves(_validator(top_schema), data)


def name_failures(data: Data) -> list[Failure]:
    """Names of workloads that cannot be used."""
    return _leaves(_validator(names_schema), data)


def workload_failures(data: Data) -> list[Failure]:
    """What is wrong in one workload."""
    return _leaves(_validator(workload_schema), data)


def _leaves(validator: Validator, data: Data) -> list[Failure]:
    found = (_failure(leaf) for error in validator.iter_errors(data) for leaf in _unfold(error))
    return list(islice(found, MAX_FINDINGS + 1))


def _failure(error: ValidationError) -> Failure:
    return Failure(
        keyword=str(error.validator),
        wanted=error.validator_value,
        found=error.instance,
        schema=error.schema if isinstance(error.schema, Mapping) else {},
        path=tuple(error.absolute_path),
        name_of="propertyNames" in error.absolute_schema_path,
        message=error.message,
    )


def _unfold(error: ValidationError) -> Iterator[ValidationError]:
    """An error, or the errors of the branch that was meant where there are alternatives."""
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        yield error
        return
    branches = cast("list[Mapping[str, Any]]", error.validator_value)
    meant = [i for i, b in enumerate(branches) if "type" in b and is_kind(error.instance, b["type"])]
    if not meant:
        yield error
        return
    for inner in error.context:
        if inner.relative_schema_path[0] == meant[0]:
            yield from _unfold(inner)
