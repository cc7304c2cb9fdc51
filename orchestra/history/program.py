"""What the registry held, as the Program that a spec of that time would compile to today.

The registry knows workloads, queues, jobs, triggers and grants. Extensions, the runtime, secrets and Edge Functions
follow from them; `requires` checks do not, and are not made. What an earlier version wrote into the text of a job or a
wrapper, this version's runtime might not understand, so those texts are written anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from orchestra.errors import OrchestraError
from orchestra.history.model import Deployment
from orchestra.history.state import State, by_hand
from orchestra.ir.program import Address, Json, Program, Resource
from orchestra.kinds import BY_NAME, cron_job, extension, grant, progress, runtime
from orchestra.kinds.cron_job import CronJob
from orchestra.kinds.edge_function import EdgeFunction
from orchestra.kinds.grant import Grant
from orchestra.kinds.progress import Progress
from orchestra.kinds.project import Project
from orchestra.kinds.queue import Queue
from orchestra.kinds.secret import FUNCTION_KEY, FUNCTION_URL, Secret
from orchestra.kinds.workload import Workload


def program_of(project: str, state: State, deployment: Deployment) -> Program:
    """Raises OrchestraError where a record has what this version does not know, or lacks what it needs."""
    recorded = [_resource(Address.parse(a), entry, project, deployment) for a, entry in state.items()]
    own = [r for r in recorded if r.kind != "project"]
    order = {name: position for position, name in enumerate(BY_NAME)}
    everything = sorted([*own, *_around(own, project)], key=lambda r: (order[r.kind], r.key))
    return Program.of(project, everything)


def _resource(address: Address, entry: Mapping[str, Json], project: str, deployment: Deployment) -> Resource:
    kind = BY_NAME.get(address.kind)
    if kind is None or not kind.owned:
        raise _unknown(f"{address}, of a kind that it does not know", deployment)
    known = kind.resource.__dataclass_fields__.keys()
    foreign = sorted(name for name, value in entry.items() if name not in known and value is not None)
    # `protect` of a queue and its like stands in a column of the registry and means nothing.
    if strange := [name for name in foreign if name != "protect"]:
        raise _unknown(f"{address} with {', '.join(strange)}, which it does not know", deployment)
    try:
        made = kind.resource.of(address.name, entry)
    except TypeError:
        raise _unknown(f"{address} without all that it needs to know of it", deployment) from None
    return renewed(made, project)


def _unknown(what: str, deployment: Deployment) -> OrchestraError:
    tool = deployment.last.tool_version or "another version"
    return OrchestraError(
        f"this orchestra cannot bring back what deployment {deployment.number} left behind: {tool} recorded {what}",
        by_hand(deployment),
    )


def renewed(resource: Resource, project: str) -> Resource:
    """The same with the texts that this version writes."""
    match resource:
        case CronJob():
            return replace(resource, command=cron_job.command_now(resource, project))
        case Grant():
            return replace(resource, source=grant.source_now(resource.key, project))
        case Progress():
            return replace(resource, source=progress.source_now(resource.key, project))
        case _:
            return resource


def _around(own: Iterable[Resource], project: str) -> Iterator[Resource]:
    """What follows from what is recorded."""
    workloads = [r for r in own if isinstance(r, Workload)]
    secrets = {FUNCTION_URL: "", FUNCTION_KEY: ""}
    for w in workloads:
        secrets[FUNCTION_URL] = w.url_secret or secrets[FUNCTION_URL]
        secrets[FUNCTION_KEY] = w.key_secret or secrets[FUNCTION_KEY]
    found = [Secret(name, vault) for name, vault in secrets.items() if vault]
    yield from extension.lower(
        queues=any(isinstance(r, Queue) for r in own),
        jobs=bool(workloads),
        wakes=bool(found),
        secrets=bool(found),
    )
    yield from runtime.lower()
    yield Project(project)
    yield from found
    yield from (EdgeFunction(w.key, w.contract) for w in workloads if w.contract is not None)
