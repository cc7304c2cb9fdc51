"""Which Supabase project is meant: by the spec's environment, and by `supabase link`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestra.cli import local

if TYPE_CHECKING:
    from orchestra.plan.identity import Meant
    from orchestra.spec.model import Spec

REF: Final = re.compile(r"[a-z]{20}")


def meant(spec: Spec | None, environment: str | None, home: Path) -> Meant:
    """What is known of it before anything is asked. An environment of a fleet has no project of its own."""
    from orchestra.plan.identity import Meant

    named = {e.name: e.project_ref for e in spec.environments if e.project_ref} if spec else {}
    return Meant(named.get(environment or ""), tuple(named.items()), ref(home))


def prove(meant: Meant, url: str, environment: str | None) -> None:
    """BlockedError where the URL leads to another project. It is looked at before anybody is asked: a password is not
    sent where it does not belong."""
    if environment is None or meant.project_ref is None:
        return
    from orchestra.live.address import address
    from orchestra.live.connect import keywords
    from orchestra.plan.identity import refuse_elsewhere

    refuse_elsewhere(meant, address(keywords(url)), environment)


def ref(home: Path) -> str | None:
    """What `supabase link` has written down near the spec; None where nothing is linked."""
    for directory in local.upwards(home):
        file = directory / "supabase" / ".temp" / "project-ref"
        try:
            found = file.read_text(encoding="utf-8")[:100].strip()
        except (OSError, ValueError):
            continue
        return found if REF.fullmatch(found) else None
    return None
