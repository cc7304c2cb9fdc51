"""The types of a pipeline's steps: what a step takes follows from what the functions before it answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from orchestra.emit.functions.declared import Declared
from orchestra.emit.functions.function import Export
from orchestra.emit.functions.text import string
from orchestra.emit.functions.type_nodes import NULL, Many, Member, Name, Shape, Type, Word, either, exactly
from orchestra.emit.functions.type_text import declarations
from orchestra.spec.model import Step

PAYLOADS: Final = "Payloads"
"""The type that says what each step takes."""
_ANSWERS: Final = """\
// What is left of a value that is written as JSON and read again. Of an array
// that has more to it than its elements (rows from the database), those only.
type Json<T> = T extends { toJSON(): infer Written } ? Written
  : T extends string | number | boolean | null | undefined ? T
  : T extends readonly unknown[]
    ? number extends T["length"] ? Json<T[number]>[]
    : { [Place in keyof T]: Json<T[Place]> }
  : T extends object ? { [Name in keyof T]: Json<T[Name]> }
  : T;
type Answer<F> = F extends (...given: never[]) => infer R
  ? Awaited<R> extends void ? null : Json<Awaited<R>>
  : never;
type Answers = {
  [Name in keyof typeof handlers]: Answer<(typeof handlers)[Name]>;
};
type Elements = {
  [Name in keyof Answers]: unknown extends Answers[Name] ? unknown
    : Answers[Name] extends readonly (infer Element)[] ? Element
    : never;
};
"""
_HANDLERS: Final = """\
/** What handler.ts exports, by step. One that others map answers an array. */
export type Handlers = {
  [Step in keyof Payloads]: (
    payload: Payloads[Step],
    context: Context,
  ) => Step extends Mapped ? readonly unknown[] | Promise<readonly unknown[]>
    : unknown;
};
"""


def step_types(exports: Sequence[Export]) -> Iterator[str]:
    """What each step takes, and `Handlers`, with the steps' names as keys."""
    by_step = {e.step.name: e for e in exports}
    takes = Declared("Step")
    for export in exports:
        takes.types[export.payload] = _input(export.step, by_step)
    payloads = Shape(tuple(Member(e.step.name, Name(e.payload)) for e in exports))
    mapped = either(exactly(name) for name in sources(exports))
    yield _ANSWERS
    yield declarations(takes)
    yield declarations(Declared(PAYLOADS, {PAYLOADS: payloads})).removeprefix("export ")
    yield declarations(Declared("Mapped", {"Mapped": mapped})).removeprefix("export ")
    yield _HANDLERS


def sources(exports: Sequence[Export]) -> list[str]:
    """The steps whose own answer is an array that others map. Of a mapped step, the array is made from its answers."""
    itself_mapped = {e.step.name for e in exports if e.step.map}
    return sorted({e.step.map for e in exports if e.step.map} - itself_mapped)


def _input(step: Step, by_step: dict[str, Export]) -> Type:
    if step.map is not None:
        source = by_step[step.map]
        # One element is what one task of a mapped step has answered.
        return _answered(source, "Answers" if source.step.map else "Elements", one_task=bool(source.step.map))
    if not step.depends_on:
        return Word("Payload")
    given = []
    for name in sorted(set(step.depends_on)):
        before = by_step[name]
        answer = _answered(before, "Answers", one_task=True)
        given.append(Member(name, Many(answer) if before.step.map else answer))
    return Shape(tuple(given))


def _answered(source: Export, where: str, *, one_task: bool) -> Type:
    """Null as well, where the run goes on without a task that has failed."""
    answer = Word(f"{where}[{string(source.name)}]")
    return either((answer, NULL)) if one_task and source.step.failure_policy == "continue" else answer
