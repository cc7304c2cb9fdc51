"""The contract between a workload's deployed code and the database: what both must agree on before work is handed out.

Limits are no part of it: a worker is told them when it comes, and comes again when they change. That needs no deploy.
"""

from __future__ import annotations

import hashlib
from typing import Final

from orchestra.ir.program import Json
from orchestra.ir.sql import canonical_json
from orchestra.spec.model import Workload

PROTOCOL: Final = 1
"""Counts the incompatible changes of what a worker and the `_v1` functions say to each other."""


def contract_of(workload: Workload) -> str:
    """16 hexadecimal digits: the hash of the payload's schema, the steps with what they depend on, and the protocol."""
    steps: Json = {s.name: {"depends_on": [*sorted(s.depends_on)], "map": s.map} for s in workload.steps}
    said = canonical_json({"protocol": PROTOCOL, "steps": steps})
    # The schema's text is canonical already.
    return hashlib.sha256(f"{said}\n{workload.payload_schema_json or ''}".encode()).hexdigest()[:16]
