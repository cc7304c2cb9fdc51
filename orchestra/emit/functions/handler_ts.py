"""`handler.ts`: written once, to be filled in. It compiles as it is, and gives up what it is handed."""

from __future__ import annotations

from typing import Final

from orchestra.emit.functions.function import Export, Function
from orchestra.emit.functions.step_types import sources
from orchestra.emit.functions.text import WIDTH, comment, string, width

_OF_QUEUE: Final = """\
Runs for each item, at least once: a second run for the same item should do no harm. The item is done when this
returns. Throw to have it tried again, `new Permanent("why")` to give it up at once, `new Snooze("10m")` to have it
again later at no cost. Pass `context.signal` on to what can be aborted."""
_OF_CALL: Final = """\
Runs behind an answer that the caller has had already. Nothing repeats it: what it throws is written down in the
database (orchestra.call) and in the log. Pass `context.signal` on to what can be aborted."""
_OF_PIPELINE: Final = """\
Each step is a function, run at least once for each of its tasks: a second run for the same task should do no harm.
What it returns, as JSON, is what the steps after it get. Throw to have a task tried again, `new Permanent("why")` to
give it up at once."""


def handler_ts(function: Function) -> str:
    head = '\nimport { Permanent } from "orchestra";\n'
    if function.kind == "pipeline":
        names = sorted(["Context", *(e.payload for e in function.exports)], key=str.lower)
        head += f"{_imports(names)}\n"
        about = comment(_paragraphs(function.workload.summary, _OF_PIPELINE)).replace("/**", "/*", 1)
        mapped = set(sources(function.exports))
        return head + "\n" + about + "".join(_step(e, e.step.name in mapped) for e in function.exports)
    head += 'import type { Context, Payload } from "./workload.gen.ts";\n'
    told = _OF_CALL if function.kind == "call" else _OF_QUEUE
    return f"{head}\n{comment(_paragraphs(function.workload.summary, told))}" + _function(
        "default function handler", "payload: Payload", "void", function.name
    )


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)


def _step(export: Export, answers_array: bool) -> str:
    step = export.step
    if step.map is not None:
        about = f"Runs once for each element of what `{step.map}` answers."
    elif step.depends_on:
        given = ", ".join(f"`{name}`" for name in sorted(set(step.depends_on)))
        about = f"Runs when {given} {'is' if len(set(step.depends_on)) == 1 else 'are'} done, and gets the answers."
    else:
        about = "Runs first, with the payload that began the run."
    answer = "unknown[]" if answers_array else "unknown"
    takes = f"payload: {export.payload}"
    return "\n" + comment(about) + _function(f"function {export.name}", takes, answer, step.name)


def _imports(names: list[str]) -> str:
    short = f'import type {{ {", ".join(names)} }} from "./workload.gen.ts";'
    if width(short) <= WIDTH:
        return short
    return "import type {\n" + "".join(f"  {name},\n" for name in names) + '} from "./workload.gen.ts";'


def _function(name: str, given: str, answer: str, about: str) -> str:
    why = string(f"{about}: its handler is not written yet")
    thrown = f"  throw new Permanent({why});"
    if width(thrown) > WIDTH:
        thrown = f"  throw new Permanent(\n    {why},\n  );"
    return f"export {name}(\n  _{given},\n  _context: Context,\n): Promise<{answer}> {{\n{thrown}\n}}\n"
