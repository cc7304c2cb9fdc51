"""`workload.gen.ts`: what the runtime has to know of a workload, and the types that its handler is written with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from orchestra.emit.functions.function import Function
from orchestra.emit.functions.payload import comes_by_itself, payload_types
from orchestra.emit.functions.step_types import step_types
from orchestra.emit.functions.text import Values
from orchestra.emit.functions.type_nodes import UNKNOWN
from orchestra.emit.functions.type_text import declarations
from orchestra.ir.contract import contract_of
from orchestra.ir.program import Json
from orchestra.platform import EDGE
from orchestra.spec.model import Hmac, Spec

_OF_KIND: Final = {
    "queue": "QueueWorkload",
    "door": "QueueWorkload",
    "pipeline": "PipelineWorkload",
    "call": "CallWorkload",
}
_HANDLER: Final = """\
/** What handler.ts exports. */
export type Handler = (payload: Payload, context: Context) => unknown;
"""
# What the runtime could make of a schema by itself breaks off at references, at older drafts and some ten levels deep.
_TYPED: Final = """\
// The runtime takes the type of a payload off the schema; this says it outright.
type Typed = { readonly enum: readonly [Payload] };
"""


def workload_ts(function: Function, spec: Spec) -> str:
    return "\n".join(_blocks(function, spec))


def _blocks(function: Function, spec: Spec) -> Iterator[str]:
    kind = _OF_KIND[function.kind]
    schema: Json = json.loads(function.workload.payload_schema_json or "null")
    if function.kind == "door":
        yield f'import type {{ {kind} }} from "orchestra";\n'
        typed = False
    else:
        yield f'import type {{ {", ".join(sorted(("Context", kind)))} }} from "orchestra";\n' + (
            'import type * as handlers from "./handler.ts";\n' if function.kind == "pipeline" else ""
        )
        yield "export type { Context };\n"
        payload = payload_types(function)
        typed = function.kind != "pipeline" and payload.types != {"Payload": UNKNOWN}
        yield declarations(payload)
        yield from step_types(function.exports) if function.kind == "pipeline" else (_HANDLER,)
    if typed:
        yield _TYPED
    if schema is not None:
        yield from _schema(schema)
    said = "null" if schema is None else "schema"
    yield _workload(function, spec, kind, f"{said} as unknown as Typed" if typed else said)


def _schema(schema: Json) -> Iterator[str]:
    # `object`, as `Payload` says what a payload is: TypeScript need not make a type of the literal, and of some it
    # cannot: two objects in a list, say, of which one has a property `constructor`.
    lead = "const schema: object = "
    values = Values()
    text = values.value(schema, before=len(lead), after=1)
    yield from values.constants
    yield f"{lead}{text};\n"


def _workload(function: Function, spec: Spec, kind: str, schema: str) -> str:
    values = Values()
    said: list[tuple[str, Json]] = [
        ("project", spec.project),
        ("name", function.name),
        ("contract", contract_of(function.workload)),
        ("wallClockMs", EDGE[spec.platform.plan].wall_clock_ms),
        ("door", _door(function, spec)),
    ]
    rows = [values.property(name, item, 2) for name, item in said]
    rows.append(schema if schema == "schema" else f"schema: {schema}")
    if not schema.startswith("null") and function.kind != "door" and not comes_by_itself(function):
        rows.append("checked: true")
    if function.kind == "pipeline":
        rows.append(values.property("steps", [e.step.name for e in function.exports], 2))
    body = "".join(f"  {row},\n" for row in rows)
    return f"export const workload = {{\n{body}}} as const satisfies {kind};\n"


def _door(function: Function, spec: Spec) -> Json:
    """How requests come in; `auth` names a header and the secret in Vault where they are signed."""
    if function.http is None:
        return None
    auth: Json
    if isinstance(function.http.auth, Hmac):
        vault = {secret.name: secret.vault for secret in spec.secrets}
        named = function.http.auth.secret
        auth = {"header": function.http.auth.header, "vault": vault.get(named, named)}
    else:
        auth = function.http.auth
    fan_out = function.workload.fan_out
    return {"auth": auth, "maxItems": fan_out.max if fan_out else 1}
