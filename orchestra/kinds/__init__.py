"""The one list of kinds, in the order in which their resources are made: what locks the app's own tables comes last."""

from __future__ import annotations

from typing import Final

from orchestra.kinds import (
    cron_job,
    dependency,
    edge_function,
    extension,
    grant,
    progress,
    project,
    queue,
    requirement,
    runtime,
    secret,
    table_trigger,
    workload,
)
from orchestra.kinds.kind import Kind, Server

__all__ = ["BY_NAME", "KINDS", "Kind", "Server"]

KINDS: Final[tuple[Kind, ...]] = (
    requirement.KIND,
    extension.KIND,
    runtime.KIND,
    project.KIND,
    dependency.KIND,
    secret.KIND,
    queue.KIND,
    workload.KIND,
    grant.KIND,
    progress.KIND,
    edge_function.KIND,
    cron_job.KIND,
    table_trigger.KIND,
)

BY_NAME: Final = {kind.name: kind for kind in KINDS}
