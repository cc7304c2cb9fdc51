"""The files of a project's Edge Functions: a spec becomes {path below the supabase folder: text}."""

from __future__ import annotations

from orchestra.emit.functions import deno_json, mark, shared
from orchestra.emit.functions.function import Function, functions_of
from orchestra.emit.functions.handler_ts import handler_ts
from orchestra.emit.functions.index_ts import index_ts
from orchestra.emit.functions.workload_ts import workload_ts
from orchestra.spec.model import Spec

__all__ = ["Function", "emit_functions", "functions_of"]

FOLDER = "functions"
SHARED = f"{FOLDER}/_shared/orchestra"


def emit_functions(spec: Spec, *, version: str) -> dict[str, str]:
    """All files, `handler.ts` as its scaffold, sorted by path; none where no workload needs a function."""
    files: dict[str, str] = {}
    for function in functions_of(spec):
        for name, text in _files(function, spec, version).items():
            files[f"{FOLDER}/{function.name}/{name}"] = text
    if files:
        for path, text in shared.sources().items():
            files[f"{SHARED}/{path}"] = mark.shared(text, version=version)
    return dict(sorted(files.items()))


def _files(function: Function, spec: Spec, version: str) -> dict[str, str]:
    def generated(body: str) -> str:
        return mark.generated(body, version=version, project=spec.project, workload=function.name)

    files = {
        "deno.json": deno_json.fresh(),
        "index.ts": generated(index_ts(function)),
        "workload.gen.ts": generated(workload_ts(function, spec)),
    }
    if function.has_handler:
        files["handler.ts"] = mark.scaffold(handler_ts(function))
    return files
