"""A strict grammar of cron expressions: what pg_cron runs as it reads, and nothing that it only seems to accept.

Five fields; in each a list of `*`, `*/n`, `a`, `a-b`, `a-b/n`; three-letter names of months and days in any case; days
of the week 0 to 7; `$` alone as the day of the month (its last day).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

from orchestra.check.words import near
from orchestra.ir.cron import MACROS, MONTHS, WEEKDAYS

Kind = Literal["fields", "macro", "foreign", "range", "reversed", "step", "impossible"]
MINUTE_MS: Final = 60_000
DAY_MINUTES: Final = 1_440


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an expression, where in it, and what to write instead."""

    kind: Kind
    start: int
    end: int
    message: str
    help: str


@dataclass(frozen=True, slots=True)
class Uneven:
    """A step that does not divide its field, so that the last gap of each round is a shorter one."""

    text: str
    unit: str
    gap: int
    last: int


@dataclass(frozen=True, slots=True)
class Cron:
    """An expression as sets. `any_dom` and `any_dow`: the field begins with `*`; where neither does, one is enough."""

    minutes: frozenset[int]
    hours: frozenset[int]
    doms: frozenset[int]
    months: frozenset[int]
    dows: frozenset[int]
    any_dom: bool
    any_dow: bool
    uneven: tuple[Uneven, ...] = ()

    @property
    def either_day(self) -> bool:
        return not self.any_dom and not self.any_dow

    @property
    def shortest_gap_ms(self) -> int:
        """The shortest time between two fires."""
        minutes, hours = sorted(self.minutes), sorted(self.hours)
        turn = minutes[0] - minutes[-1]
        gaps = [b - a for a, b in pairwise(minutes)]
        gaps += [(b - a) * 60 + turn for a, b in pairwise(hours)]
        gaps.append((24 + hours[0] - hours[-1]) * 60 + turn + (self._day_gap - 1) * DAY_MINUTES)
        return min(gaps) * MINUTE_MS

    @property
    def _day_gap(self) -> int:
        """The least number of days from one to the next."""
        if self.either_day or (self.any_dom and self.any_dow):
            return 1
        days, wrap = (sorted(self.dows), 7) if self.any_dom else (sorted(self.doms), 28)
        nearest = [b - a for a, b in pairwise(days)]
        return max(1, min([*nearest, wrap + days[0] - days[-1]]))


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    name: str
    unit: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def number(self, word: str) -> int | None:
        """The value of a number or a name; None for what is neither."""
        if word.isdecimal() and word.isascii():
            return int(word)
        word = word.lower()
        return self.names.index(word) + self.low if word in self.names else None


_FIELDS: Final = (
    _Field("minute", "minutes", 0, 59),
    _Field("hour", "hours", 0, 23),
    _Field("day of month", "days", 1, 31),
    _Field(
        "month",
        "months",
        1,
        12,
        MONTHS,
    ),
    _Field("day of week", "days", 0, 7, WEEKDAYS),
)
_FORM: Final = "Write `*`, a number, a range `a-b`, a step `*/n` or `a-b/n`, or a list of these with commas."
_LONGEST: Final = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART: Final = re.compile(
    r"(?P<star>\*)(?:-(?P<to>\w+))?(?:/(?P<star_step>[0-9]+))?\Z"
    r"|(?P<a>[0-9A-Za-z]+)(?:-(?P<b>[0-9A-Za-z]+))?(?:/(?P<step>[0-9]+))?\Z"
)


@lru_cache(maxsize=4096)
def read_cron(text: str) -> tuple[Cron | None, tuple[Fault, ...]]:
    """The expression, or everything that is wrong with it."""
    words = [(m.start(), m[0]) for m in re.finditer(r"\S+", text)]
    if words and words[0][1].startswith("@"):
        return None, (_macro(text, words[0][1]),)
    if len(words) != 5:
        return None, (_count(text, [w for _, w in words]),)
    faults: list[Fault] = []
    uneven: list[Uneven] = []
    sets = [
        _plain(f, w) or _read(f, w, at, faults, uneven) for f, (at, w) in zip(_FIELDS, words, strict=True)
    ]
    if faults:
        return None, tuple(faults)
    minutes, hours, doms, months, dows = (frozenset(s) for s in sets)
    dom, dow = words[2][1], words[4][1]
    any_dom, any_dow = dom.startswith("*"), dow.startswith("*")
    if (any_dom or any_dow) and not any(d <= _LONGEST[m] for d in doms for m in months):
        return None, (_impossible(words, doms, months),)
    return Cron(
        minutes, hours, doms, months, frozenset(d % 7 for d in dows), any_dom, any_dow, tuple(uneven)
    ), ()


@lru_cache(maxsize=1024)
def _plain(field: _Field, word: str) -> frozenset[int] | None:
    """The values of `*` or of a single number, which most fields are; None for anything else, and what is wrong."""
    if word == "*":
        return frozenset(v for v in _part(field, word, 0, []) if isinstance(v, int))
    if len(word) <= 2 and word.isdecimal() and word.isascii() and field.low <= int(word) <= field.high:
        return frozenset({int(word)})
    return None


def _read(field: _Field, word: str, at: int, faults: list[Fault], uneven: list[Uneven]) -> set[int]:
    """The values of one field; what is wrong goes to `faults`."""
    if field.name == "day of month" and word == "$":
        return {28}
    values: set[int] = set()
    start = at
    for part in word.split(","):
        found = list(_part(field, part, start, uneven))
        faults += [f for f in found if isinstance(f, Fault)]
        values.update(v for v in found if isinstance(v, int))
        start += len(part) + 1
    return values


def _part(field: _Field, part: str, start: int, uneven: list[Uneven]) -> Iterator[int | Fault]:
    end = start + max(1, len(part))

    def fault(kind: Kind, message: str, help: str) -> Fault:
        return Fault(kind, start, end, message, help)

    match = _PART.match(part)
    if match is None or match["to"]:
        yield fault(
            "foreign", f"`{part}` is no {field.name} that pg_cron reads as it looks", _foreign(field, part)
        )
        return
    if match["star"]:
        low, high, step = field.low, field.high - (field.names[:1] == ("sun",)), match["star_step"]
    else:
        ends = (field.number(match["a"]), field.number(match["b"] or match["a"]))
        unknown = [w for w, n in zip((match["a"], match["b"]), ends, strict=True) if w and n is None]
        if unknown:
            advice = _foreign(field, part) or _name_help(field, unknown[0])
            yield fault("foreign", f"`{unknown[0]}` is no {field.name}", advice)
            return
        low, high, step = ends[0] or 0, ends[1] or 0, match["step"]
        outside = [n for n in (low, high) if not field.low <= n <= field.high]
        if outside:
            bounds = f"{field.low} to {field.high}"
            yield fault(
                "range", f"{field.name} {outside[0]} does not exist", f"Write a {field.name} from {bounds}."
            )
            return
        if low > high:
            yield fault("reversed", f"the range `{part}` runs backwards", _reversed(field, low, high))
            return
        if step and not match["b"]:
            yield fault(
                "foreign",
                f"`{part}` has a step but no range",
                f"Write `{low}-{field.high - (field.high == 7)}/{step}` for every {step} {field.unit} from {low} on.",
            )
            return
    if step is not None and not 1 <= int(step) <= field.high - field.low:
        what = (
            "never advances"
            if int(step) == 0
            else f"is more than the field holds ({field.low} to {field.high})"
        )
        yield fault(
            "step", f"the step of `{part}` {what}", f"Write `{low}` for one value, or a smaller step."
        )
        return
    values = range(low, high + 1, int(step or 1))
    whole = field.high - field.low + 1
    if step and match["star"] and field.unit in {"minutes", "hours"} and whole % int(step):
        uneven.append(Uneven(part, field.unit, int(step), whole - values[-1]))
    yield from values


def _foreign(field: _Field, part: str) -> str:
    """What to write instead of another scheduler's word; nothing for a word that none has."""
    upper = part.upper()
    if part in {"?", ""}:
        return "Write `*` for any value."
    if field.name == "day of month" and upper == "L":
        return "Write `$` for the last day of the month."
    if "W" in upper and field.name == "day of month":
        return "pg_cron knows no nearest weekday; let the statement itself look at the day."
    if "#" in part:
        return "pg_cron knows no nth weekday; run on that weekday and let the statement look at the day."
    if upper.startswith("H"):
        return f"Choose a {field.name} yourself: `H` belongs to another scheduler."
    if part.startswith("*-"):
        return f"Write `{field.low}-{part[2:]}` for a range, or `*` for any value."
    if part.startswith("$"):
        return "`$` is the last day of the month, and stands alone in the third field."
    return ""


def _name_help(field: _Field, word: str) -> str:
    if not field.names:
        return f"Write a number from {field.low} to {field.high}."
    match = near(word.lower()[:3], field.names)
    known = ", ".join(field.names)
    return f"Write `{match}`: names have three letters." if match else f"Names are: {known}."


def _reversed(field: _Field, low: int, high: int) -> str:
    if field.name == "day of week" and high == 0:
        return f"Sunday is 7 as well: write `{low}-7`."
    return (
        f"Write `{high}-{low}`, or `{low}-{field.high - (field.high == 7)},{field.low}-{high}` to go round."
    )


def _macro(text: str, word: str) -> Fault:
    fields = MACROS.get(word.lower())
    if fields is not None:
        help = f'Write `cron: "{fields}"`.'
    elif word.lower() == "@every":
        help = "Write `every:` with the interval instead of `cron:`."
    else:
        help = "Write the five fields: minute, hour, day of month, month, day of week."
    return Fault("macro", 0, len(text), f"`{text.strip()}` is a macro, not five fields", help)


def _count(text: str, words: list[str]) -> Fault:
    message = f"`{text}` has {len(words)} field{'s' * (len(words) != 1)}, not five"
    help = "Write minute, hour, day of month, month and day of week."
    if any(w.endswith(",") for w in words):
        help = f"Write lists without blanks: `{text.strip().replace(', ', ',')}`."
    elif len(words) == 6 and re.match(r"\*/([0-9]+)\Z", words[0]):
        help = f"For every {words[0][2:]} seconds write `every: {words[0][2:]}s` instead of `cron:`."
    elif len(words) == 6:
        help = (
            f'The first field is no second: write `cron: "{" ".join(words[1:])}"`, or `every:` for seconds.'
        )
    return Fault("fields", 0, len(text), message, help)


def _impossible(words: list[tuple[int, str]], doms: frozenset[int], months: frozenset[int]) -> Fault:
    (start, dom), (at, month) = words[2], words[3]
    most = max(_LONGEST[m] for m in months)
    return Fault(
        "impossible",
        start,
        at + len(month),
        f"day {min(doms)} of month `{month}` never comes",
        f"Write a day up to {most}, or `$` for the last day of the month, instead of `{dom}`.",
    )
