"""What an import found, for machines."""

from __future__ import annotations

import json

from orchestra.importing.model import Imported
from orchestra.report import mask


def dump(found: Imported) -> str:
    """One JSON object; `spec` is the YAML text."""
    document = {
        "format_version": 1,
        "project": found.project,
        "spec": found.text,
        "command": found.command.replace(" \\\n ", ""),
        "workloads": [
            {
                "name": item.workload,
                "from": item.origin,
                "adopt": item.adopt,
                "paused": item.paused,
                "notes": [mask.text(note) for note in item.notes],
            }
            for item in found.made
        ],
        "left_out": [
            {"what": mask.text(item.what), "reason": mask.text(item.reason), "hint": mask.text(item.hint)}
            for item in found.left_out
        ],
        "owned": [{"project": project, "objects": number} for project, number in found.owned],
        "tools": list(found.tools),
        "notes": list(found.notes),
        "warnings": [{"code": d.code, "message": mask.text(d.message)} for d in found.warnings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
