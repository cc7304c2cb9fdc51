"""A diagnosis for machines: schemas/doctor.v1.schema.json."""

from __future__ import annotations

import json
from typing import Any

from orchestra.doctor.model import Diagnosis


def render(diagnosis: Diagnosis) -> str:
    return json.dumps(encode(diagnosis), indent=2, ensure_ascii=False) + "\n"


def encode(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "format_version": 1,
        "summary": {state.value: number for state, number in diagnosis.tally().items()},
        "checks": [
            {
                "group": check.group.name.lower(),
                "code": check.code,
                "state": check.state.value,
                "message": check.message,
                "remedy": check.remedy,
                "command": check.command,
            }
            for check in diagnosis.checks
        ],
        "order": [
            {
                "project": turn.project,
                "stage": turn.stage,
                "priority": turn.priority,
                "waits_for": list(turn.waits),
            }
            for turn in diagnosis.turns
        ],
    }
