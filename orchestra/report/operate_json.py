"""What an operator's verb has done, for machines: schemas/operate.v1.schema.json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestra.report import json_text


def document(project: str, verb: str, workloads: Sequence[str], *, changed: bool, **more: Any) -> str:
    """`workloads` without any is the whole project, and null; `more` are the keys of this verb."""
    told = {
        "format_version": 1,
        "project": project,
        "verb": verb,
        "workloads": list(dict.fromkeys(workloads)) or None,
        "changed": changed,
        **more,
    }
    return json_text.dumps(told)
