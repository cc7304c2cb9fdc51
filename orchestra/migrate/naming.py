"""What a migration's file is called: 14 digits above all others of the folder, and words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from orchestra.errors import OrchestraError, UsageError
from orchestra.kinds.cron_job import is_shared
from orchestra.plan.model import Action, Change
from orchestra.plan.owning import workload_of

Version: TypeAlias = str
"""14 digits, as in `20261128214641`."""

_NAMED: Final = re.compile(r"^([0-9]+)_.*\.sql$")
_FORM: Final = "%Y%m%d%H%M%S"
_LONGEST: Final = 80
_VERBS: Final = {Action.CREATE: "add", Action.ADOPT: "add", Action.DELETE: "remove", Action.FORGET: "remove"}


def next_version(floor: datetime, files: Iterable[str]) -> Version:
    """The floor, or a second after the last file where that is later.

    Raises OrchestraError where a file sorts behind every time: migration tools go by the names as texts.
    """
    version = floor.astimezone(UTC).strftime(_FORM)
    for file in files:
        found = _NAMED.match(file)
        if found is None or found[1] < version:
            continue
        version = _after(found[1])
        if version <= found[1]:
            raise OrchestraError(
                f"{file} sorts behind every migration that could follow it", "give it a name of 14 digits"
            )
    return version


def _after(digits: str) -> Version:
    head = digits[:14].ljust(14, "0")
    try:
        return (datetime.strptime(head, _FORM).replace(tzinfo=UTC) + timedelta(seconds=1)).strftime(_FORM)
    except (ValueError, OverflowError):
        return str(int(head) + 1).zfill(14) if set(head) != {"9"} else head


def slug(project: str, name: str | None, changes: Sequence[Change], *, first: bool) -> str:
    """`name` in letters that a file name takes everywhere, or words for what changes: `shop_add_import`.

    Raises UsageError for a name without any such letter.
    """
    if name is not None:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
        if not words:
            raise UsageError(f"--name {name!r} holds no letter or digit of a file name", "give it words")
    else:
        words = f"orchestra_{project}" if first else f"{project}_{_words(changes)}"
    return words.replace("-", "_")[:_LONGEST].rstrip("_")


def _words(changes: Sequence[Change]) -> str:
    verbs = {
        c.address.name: "rename" if c.moved_from is not None else _VERBS.get(c.action, "change")
        for c in changes
        if c.address.kind == "workload"
    }
    moved = {c.moved_from.name for c in changes if c.moved_from is not None}
    names = {
        workload_of(c.address.name)
        for c in changes
        if c.address.kind not in ("extension", "runtime", "project") and not is_shared(c.address.name)
    }
    names -= moved
    if len(names) == 1:
        (name,) = names
        return f"{verbs.get(name, 'change')}_{name}"
    if names:
        return f"change_{len(names)}_workloads"
    return "runtime" if any(c.address.kind == "runtime" for c in changes) else "change"
