"""Specs as people write them: the same data in any indentation, order and style, with comments anywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import strategies as st

_WORDS = ["typical", "SKU", "ß→é", "it's", "a: b", "# no comment", "- dash", "{x}", "yes", "1", " blank "]
_SQL = [
    "select 1",
    "select 1\n",
    "insert into a.b (c)\nvalues (:payload ->> 'c')\n",
    "\n  first is deeper\nthen # not\n\n    a comment\n",
    "ends with empty lines\n\n\n",
]
_durations = st.sampled_from(["5ms", "30s", "2m", "1h", "7d"])


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Not all of them are right: keys that no spec has and unknown workloads are formatted too."""
    workload = st.fixed_dictionaries(
        {"trigger": st.sampled_from(["manual", {"schedule": {"every": "5m", "overlap": "skip"}}])},
        optional={
            "run": st.fixed_dictionaries({"sql": st.sampled_from(_SQL)}, optional={"role": st.just("app")}),
            "summary": st.sampled_from(_WORDS),
            "duration": st.fixed_dictionaries({"max": _durations}, optional={"typical": _durations}),
            "fan_out": st.just({"max": 500, "typical": 20}),
            "retry": st.just({"backoff": {"max": "1m", "initial": "1s"}, "max_attempts": 3}),
            "access": st.just({"enqueue": ["authenticated", "service_role"]}),
            "paused": st.booleans(),
            "unheard_of": st.none(),
            "steps": st.just({"b": {"duration": {"max": "5s"}}, "a": {"map": "b", "depends_on": ["b"]}}),
        },
    )
    top = {
        "version": 1,
        "project": "shop",
        "workloads": draw(st.dictionaries(st.sampled_from(["a", "b-c", "d"]), workload, max_size=3)),
    }
    if draw(st.booleans()):
        top["requires"] = [
            {"check": {"relation": "a.b"}, "name": "b"},
            {"version": "1", "extension": "x", "name": "x"},
        ]
    if draw(st.booleans()):
        top["environments"] = {"z": {"protect": True, "database": {"env": "Z"}}, "a": {}}
    return top


@dataclass
class Writer:
    """Writes data, every choice by chance; `comments` are all that it has put in."""

    chance: Random
    comments: list[str] = field(default_factory=list)
    keeps: bool = False
    """The last line ends a block scalar that a further empty line would change."""

    def text(self, data: dict[str, Any]) -> str:
        lines = self._above(0) + self._mapping(data, 0) + self._above(0)
        return "\n".join(lines) + "\n"

    def _flag(self, often: int = 3) -> bool:
        return self.chance.randint(0, often) == 0

    def _shuffled(self, data: dict[str, Any]) -> list[str]:
        return self.chance.sample(list(data), len(data))

    def _comment(self) -> str:
        made = f"# c{len(self.comments)} 'x' {{: "
        self.comments.append(made.rstrip())
        return made

    def _above(self, indent: int) -> list[str]:
        out = []
        while self._flag():
            if self._flag():
                out.append("" if not self.keeps else " " * indent + self._comment())
            else:
                out.append(" " * indent + self._comment())
            self.keeps = False
        return out

    def _behind(self, line: str) -> str:
        return f"{line}{' ' * self.chance.randint(1, 5)}{self._comment()}" if self._flag() else line

    def _mapping(self, data: dict[str, Any], indent: int) -> list[str]:
        out: list[str] = []
        for key in self._shuffled(data):
            out += self._above(indent)
            out += self._entry(f"{' ' * indent}{key}:", data[key], indent)
        return out + (self._above(indent) if self._flag(6) else [])

    def _entry(self, head: str, value: Any, indent: int) -> list[str]:
        self.keeps = False
        if isinstance(value, dict | list) and value and not self._flag():
            deeper = indent + self.chance.randint(1, 5)
            if isinstance(value, dict):
                return [self._behind(head), *self._mapping(value, deeper)]
            return [
                self._behind(head),
                *self._list(value, indent if self._flag() and head.strip() != "-" else deeper),
            ]
        if isinstance(value, str) and "\n" in value:
            return self._scalar(head, value, indent)
        if value is None:
            return [self._behind(head)]
        return [self._behind(f"{head} {self._flow(value)}")]

    def _list(self, items: list[Any], indent: int) -> list[str]:
        out: list[str] = []
        for item in items:
            out += self._above(indent)
            if isinstance(item, dict) and not self._flag():
                inside = self._mapping(item, indent + 2)
                first = next(n for n, line in enumerate(inside) if line.strip() and line.strip()[0] != "#")
                dashed = " " * indent + "-" + inside[first][indent + 1 :]
                out += [*inside[:first], dashed, *inside[first + 1 :]]
            else:
                out += self._entry(" " * indent + "-", item, indent)
        return out

    def _scalar(self, head: str, value: str, indent: int) -> list[str]:
        deeper = self.chance.randint(1, 4)
        pad = " " * (indent + deeper)
        body = value.rstrip("\n")
        ends = value[len(body) :]
        chomp = {"": "-", "\n": ""}.get(ends, "+")
        self.keeps = chomp == "+"
        told = str(deeper) if body[:1] in (" ", "\n") else ""
        lines = [f"{pad}{line}" if line else "" for line in body.split("\n")]
        return [self._behind(f"{head} |{told}{chomp}"), *lines, *[""] * (len(ends) - 1)]

    def _flow(self, value: Any) -> str:
        gap = self.chance.choice(["", " "])
        if isinstance(value, dict):
            pairs = [f"{k}: {self._flow(value[k])}" for k in self._shuffled(value)]
            return f"{{{gap}{', '.join(pairs)}{gap}}}"
        if isinstance(value, list):
            return f"[{gap}{f',{gap}'.join(map(self._flow, value))}{gap}]"
        if isinstance(value, str) and "\n" not in value and self._flag():
            return "'" + value.replace("'", "''") + "'"
        return json.dumps(value, ensure_ascii=False)


@st.composite
def written(draw: st.DrawFn) -> tuple[dict[str, Any], str, list[str]]:
    """Data, a text of it, and the comments in that text."""
    data = draw(specs())
    writer = Writer(Random(draw(st.integers(0, 1_000_000))))
    return data, writer.text(data), writer.comments
