"""Which workloads have an Edge Function, and of which kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from orchestra.classify.features import has_edge
from orchestra.kinds.edge_function import has_function
from orchestra.kinds.workload.steps import in_order
from orchestra.lower import patterns
from orchestra.spec.model import Hmac, HttpTrigger, Spec, Step, Workload

Kind = Literal["queue", "pipeline", "call", "door"]

# What cannot be the name of an exported function.
_RESERVED: Final = re.compile(
    r"arguments|async|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|"
    r"enum|eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|"
    r"interface|let|new|null|of|package|private|protected|public|return|static|super|switch|this|"
    r"throw|true|try|typeof|undefined|var|void|while|with|yield"
)


@dataclass(frozen=True, slots=True)
class Export:
    """A step, the function in handler.ts that does it, and the type of what it takes."""

    step: Step
    name: str

    @property
    def payload(self) -> str:
        return f"{self.name[0].upper()}{self.name[1:]}Payload"


@dataclass(frozen=True, slots=True)
class Function:
    """`door` is a queue whose work is done in SQL: its function only takes requests. `call` answers at once and works
    on (`wait_until`). `hears` says that it is told of the dead letters of others (`on_failure`). `exports` are the
    steps of a pipeline, each after those that it depends on."""

    workload: Workload
    kind: Kind
    hears: bool = False
    exports: tuple[Export, ...] = ()

    @property
    def name(self) -> str:
        return self.workload.name

    @property
    def http(self) -> HttpTrigger | None:
        return next((t for t in self.workload.triggers if isinstance(t, HttpTrigger)), None)

    @property
    def hmac(self) -> Hmac | None:
        return self.http.auth if self.http is not None and isinstance(self.http.auth, Hmac) else None

    @property
    def has_handler(self) -> bool:
        return self.kind != "door"


def functions_of(spec: Spec) -> Iterator[Function]:
    """All of a project, by name. Workloads that no pattern fits have none: rules report them."""
    chosen = patterns(spec)
    told = {w.on_failure for w in spec.workloads}
    for workload in sorted(spec.workloads, key=lambda w: w.name):
        if workload.name not in chosen or not has_function(workload):
            continue
        if chosen[workload.name] == "wait_until":
            yield Function(workload, "call")
        elif not has_edge(workload):
            yield Function(workload, "door")
        elif workload.steps:
            yield Function(workload, "pipeline", workload.name in told, tuple(_exports(workload.steps)))
        else:
            yield Function(workload, "queue", workload.name in told)


def _exports(steps: Iterable[Step]) -> Iterator[Export]:
    taken: set[str] = set()
    for step in in_order(steps):
        found = base = _identifier(step.name)
        number = 1
        while found in taken:
            number += 1
            found = f"{base}_{number}"
        taken.add(found)
        yield Export(step, found)


def _identifier(step: str) -> str:
    """`send-mail` is `sendMail`."""
    first, *rest = re.findall(r"[a-z0-9]+", step)
    name = first + "".join(word[:1].upper() + word[1:] for word in rest)
    return f"{name}Step" if _RESERVED.fullmatch(name) else name
