"""The JSON Schemas by the names that the command line has for them."""

from __future__ import annotations

from orchestra.spec import shipped

NAMES = {
    "spec": "orchestra.v1",
    "plan": "plan.v2",
    "explain": "explain.v1",
    "check": "diagnostics.v1",
    "diff": "diff.v2",
    "fleet": "fleet.v1",
    "fleet-index": "fleet-index.v1",
    "lock": "lock.v1",
    "migrate": "migrate.v1",
    "history": "history.v1",
    "runs": "runs.v1",
    "dead-letters": "dead-letters.v1",
    "operate": "operate.v1",
    "status": "status.v1",
    "doctor": "doctor.v1",
    "dev-log": "dev-log.v1",
}
"""What a command calls a schema, and the file that holds it, with its version."""


def text(name: str) -> str:
    return shipped.text(f"{NAMES[name]}.schema.json")
