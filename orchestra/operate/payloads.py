"""Payloads as a person gives them: one text, a JSON array, or JSON lines; each judged before any of them is sent.

What is sent is the text itself, so that no number loses a digit.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any, Final, TextIO

from orchestra.errors import OrchestraError, UsageError

LARGEST_ARRAY: Final = 64 * 2**20
"""Characters of a JSON array, which is read whole; JSON lines may be of any length."""
_SHOWN: Final = 10
_FAR: Final = re.compile(r"[0-9][eE][+-]?[0-9]{4}")
_BLANKS: Final = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Item:
    """A payload and the line of its file where it begins."""

    line: int
    text: str


def items(file: TextIO, name: str) -> Generator[Item]:
    """Those of an array, or of lines, of which empty ones are passed over. OrchestraError with the place of what is no
    JSON."""
    start = file.read(1)
    while start and start.isspace():
        start = file.read(1)
    file.seek(0)
    yield from _array(file, name) if start == "[" else _lines(file)


def _lines(file: TextIO) -> Generator[Item]:
    for number, line in enumerate(file, 1):
        if text := line.strip():
            yield Item(number, text)


def _array(file: TextIO, name: str) -> Generator[Item]:
    text = file.read(LARGEST_ARRAY + 1)
    if len(text) > LARGEST_ARRAY:
        raise UsageError(
            f"{name} holds an array of more than {LARGEST_ARRAY // 2**20} MB",
            "write it as JSON lines, an item each",
        )
    decoder = json.JSONDecoder(parse_constant=_refuse)

    def fault(place: int, why: str) -> OrchestraError:
        return OrchestraError(f"{name}:{text.count(chr(10), 0, place) + 1}: {why}", "nothing was sent")

    place = _behind_blanks(text, text.index("[") + 1)
    goes_on = not text.startswith("]", place)
    line, counted = 1, 0
    while goes_on:
        try:
            _, end = decoder.raw_decode(text, place)
        except (RecursionError, ValueError) as error:
            raise fault(place, _why(error)) from None
        line, counted = line + text.count("\n", counted, place), place
        yield Item(line, text[place:end])
        place = _behind_blanks(text, end)
        goes_on = text.startswith(",", place)
        if goes_on:
            place = _behind_blanks(text, place + 1)
        elif not text.startswith("]", place):
            raise fault(place, "the array does not go on with , or ]")
    if rest := text[place + 1 :].strip():
        raise fault(place, f"{rest[:20]!r} stands behind the array")


def _behind_blanks(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return found.end() if found else place


def judged(found: Iterable[Item], name: str, schema: Mapping[str, Any] | None) -> Generator[Item]:
    """The same items, each known to be JSON that the database takes and, with a schema, that the workload takes. All
    that is wrong is told at once, at the end, by an OrchestraError; the first ten with their places."""
    judge = _judge(schema)
    wrong: list[str] = []
    count = 0
    for item in found:
        if problem := _problem(item.text, judge):
            count += 1
            if len(wrong) < _SHOWN:
                wrong.append(f"{name}:{item.line}: {problem}" if item.line else f"{name}: {problem}")
        else:
            yield item
    if wrong:
        more = [f"… and {count - len(wrong):,} more"] if count > len(wrong) else []
        remedy = "nothing was sent; "
        remedy += (
            "the workload's payload_schema says what it takes" if schema else "write one JSON value each"
        )
        raise OrchestraError("\n".join([*wrong, *more]), remedy)


def _judge(schema: Mapping[str, Any] | None) -> Callable[[Any], str | None]:
    if schema is None:
        return lambda value: None
    import jsonschema_rs

    validator = jsonschema_rs.validator_for(dict(schema))

    def judge(value: Any) -> str | None:
        first = next(iter(validator.iter_errors(value)), None)
        if first is None:
            return None
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first.instance_path)
        return f"{path.lstrip('.') + ': ' if path else ''}{first.message}"

    return judge


def _problem(text: str, judge: Callable[[Any], str | None]) -> str | None:
    try:
        hook = _within_numeric if _FAR.search(text) else None
        value = json.loads(text, parse_constant=_refuse, parse_float=hook, object_pairs_hook=_once)
        problem = judge(value)
    except (ValueError, RecursionError) as error:
        return _why(error)
    if problem is None and "\\u" in text and (bad := _refused(value)):
        return bad
    return problem


def _refused(value: Any) -> str | None:
    """What JSON has and the database's jsonb has not."""
    written = json.dumps(value, ensure_ascii=False)
    if "\\u0000" in written:
        return "it holds the character U+0000, which the database does not take"
    try:
        written.encode("utf-8")
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair, which the database does not take"
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a key that stands twice the database would keep the last and lose the others without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {json.dumps(twice, ensure_ascii=False)} stands twice in an object")
    return found


def _within_numeric(number: str) -> float:
    """ValueError for what is beyond numeric, which is what jsonb has: 131,072 digits and 16,383 behind the point."""
    digits, _, exponent = number.lower().partition("e")
    whole, _, fraction = digits.lstrip("-").partition(".")
    power = int(exponent) if len(exponent) < 9 else 10**9
    if len(whole) + power > 131_072 or len(fraction) - power > 16_383:
        raise ValueError(f"the number {number[:40]} is beyond what the database has")
    return float(number)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _why(error: Exception) -> str:
    if isinstance(error, JSONDecodeError):
        return f"it is no JSON at column {error.colno}: {error.msg}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
