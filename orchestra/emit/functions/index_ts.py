"""`index.ts`: the entry of a function, which only puts handler, workload and runtime together."""

from __future__ import annotations

from typing import Final

from orchestra.emit.functions.function import Function
from orchestra.emit.functions.text import key, placed

_SERVE: Final = {
    "queue": "serveQueue",
    "door": "serveDoor",
    "pipeline": "servePipeline",
    "call": "serveCall",
}


def index_ts(function: Function) -> str:
    serve = _SERVE[function.kind]
    lines = [f'import {{ {serve} }} from "orchestra";']
    options = ""
    if function.hmac is not None:
        lines.append(f'import {{ verify }} from "../_shared/orchestra/hmac/{function.hmac.scheme}.ts";')
        options = ", { verify }"
    if function.kind == "pipeline":
        lines.append('import * as handlers from "./handler.ts";')
        lines.append('import { type Handlers, workload } from "./workload.gen.ts";')
        lines += ["", "const steps: Handlers = {", *_steps(function), "};"]
        called = "workload, steps"
    elif function.has_handler:
        lines += ['import handler from "./handler.ts";', 'import { workload } from "./workload.gen.ts";']
        called = "workload, handler"
    else:
        lines.append('import { workload } from "./workload.gen.ts";')
        called = "workload"
    return "\n".join([*lines, "", f"{serve}({called}{options});", ""])


def _steps(function: Function) -> list[str]:
    return [f"  {placed(key(e.step.name), f'handlers.{e.name}', 2)}," for e in function.exports]
