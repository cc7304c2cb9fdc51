"""The contract between a workload's deployed code and the database: what both must agree on before work is handed out.

Limits are no part of it: a worker is told them at each turn, so changing them needs no deploy.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from orchestra.ir.sql import canonical_json
from orchestra.spec.model import Workload

PROTOCOL: Final = 1
"""Counts the incompatible changes of what a worker and the `_v1` functions say to each other."""


def contract_of(workload: Workload) -> str:
    """16 hexadecimal digits: the hash of the payload's schema, the steps with what they depend on, and the protocol."""
    schema = workload.payload_schema_json
    return hashlib.sha256(
        canonical_json(
            {
                "protocol": PROTOCOL,
                "payload_schema": None if schema is None else json.loads(schema),
                "steps": {
                    s.name: {"depends_on": [*sorted(s.depends_on)], "map": s.map} for s in workload.steps
                },
            }
        ).encode()
    ).hexdigest()[:16]
