"""An approval as a file that is committed: text to value and back. Pure.

`digest` is over everything else in the file. It finds careless edits, such as a bound that was raised by hand; it is
no signature: who may approve is decided by who may merge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import yaml

from orchestra.diagnostics import Diagnostic, Span
from orchestra.ir.program import Address, Json
from orchestra.kinds import BY_NAME
from orchestra.plan.approvals import Approval, Approved
from orchestra.plan.transition import FORM
from orchestra.spec.decode import decode
from orchestra.spec.faults import fault, top_of
from orchestra.spec.parsing import parse
from orchestra.spec.source import NodeSource

FORMAT_VERSION: Final = 1
ALL: Final = "all"
"""Instead of a number: however many messages there are."""
_HEAD: Final = """\
# One review of one change, for every database to which exactly this happens. Committed beside the spec, it counts for
# plans of this transition and for no others. Written by `orchestra approve`, which also writes it anew: an edit by hand
# makes it void. Remove it once all databases are past it.
"""
_WRITE: Final = "Write it anew with `orchestra approve`, or remove the file."
_KEYS: Final = ("format_version", "project", "transition", "approves", "reason", "by", "expires", "digest")
_OPTIONAL: Final = frozenset({"expires"})


def dump(approval: Approval) -> str:
    """The text of a file; the same for the same approval."""
    document = _document(approval)
    body = yaml.safe_dump(
        {**document, "digest": _digest(document)}, sort_keys=False, allow_unicode=True, width=100
    )
    return _HEAD + body


def load(data: bytes, file: str) -> tuple[Approval | None, tuple[Diagnostic, ...]]:
    """The approval of a file, or what is wrong with it."""
    text, found = decode(data, file)
    if text is None:
        return None, tuple(found)
    parsed = parse(text, file)
    if parsed.tree is None:
        return None, parsed.diagnostics or (_malformed("it is empty", top_of(file)),)
    source = NodeSource(file, None, parsed.tree.root)
    faults = [*parsed.diagnostics, *_faults(parsed.tree.data, source)]
    if faults:
        return None, tuple(faults)
    approval = _approval(parsed.tree.data, file)
    stem = file.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    if stem != approval.transition:
        return None, (
            _changed(
                f"the file is called {stem}",
                source.at("transition"),
                "and its name says which transition it approves",
            ),
        )
    if parsed.tree.data["digest"] != _digest(_document(approval)):
        return None, (_changed("its digest does not fit what stands in it", source.at("digest")),)
    return approval, ()


def _document(approval: Approval) -> dict[str, Json]:
    rows: list[Json] = []
    for one in approval.approves:
        row: dict[str, Json] = {"hazard": one.code, "address": str(one.address)}
        if one.code != "delete":
            row["at_most"] = ALL if one.at_most is None else one.at_most
        rows.append(row)
    document: dict[str, Json] = {
        "format_version": FORMAT_VERSION,
        "project": approval.project,
        "transition": approval.transition,
        "approves": rows,
        "reason": approval.reason,
        "by": approval.by,
    }
    if approval.expires is not None:
        document["expires"] = approval.expires.isoformat()
    return document


def _digest(document: dict[str, Json]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _approval(data: Any, file: str) -> Approval:
    return Approval(
        file,
        data["project"],
        data["transition"],
        tuple(
            Approved(
                row["hazard"],
                Address.parse(row["address"]),
                None if row.get("at_most") == ALL else row.get("at_most", 0),
            )
            for row in data["approves"]
        ),
        data["reason"],
        data["by"],
        date.fromisoformat(data["expires"]) if "expires" in data else None,
    )


def _faults(data: Any, source: NodeSource) -> Iterator[Diagnostic]:
    """Everything about its form, so that what is left can be read without a further look."""
    for key in data:
        if key not in _KEYS:
            yield _malformed(f"an approval has no `{key}`", source.at(key, key=True))
    for key in _KEYS:
        if key not in data and key not in _OPTIONAL:
            yield _malformed(f"`{key}` is missing", source.at())
    if data.get("format_version", 1) != FORMAT_VERSION or isinstance(data.get("format_version"), bool):
        yield _malformed(
            f"format {data['format_version']!r} is not one that this orchestra reads, which is {FORMAT_VERSION}",
            source.at("format_version"),
        )
    for key in ("project", "transition", "reason", "by", "digest", "expires"):
        value = data.get(key, "-")
        if not isinstance(value, str) or not value.strip():
            yield _malformed(f"`{key}` is no text, or an empty one", source.at(key))
    transition, expires = data.get("transition"), data.get("expires")
    if isinstance(transition, str) and transition.strip() and not FORM.fullmatch(transition):
        yield _malformed(
            f"`{transition}` is no transition, such as 3f9c2a7be01d-44c8a2f0e6b1", source.at("transition")
        )
    if isinstance(expires, str) and expires.strip() and not _is_day(expires):
        yield _malformed(f"`{expires}` is no day, such as 2026-12-31", source.at("expires"))
    rows = data.get("approves", [{"hazard": "delete", "address": "queue.x"}])
    if not isinstance(rows, list) or not rows:
        yield _malformed("`approves` lists no hazards", source.at("approves"))
        return
    for number, row in enumerate(rows):
        yield from _row(row, source, f"approves.{number}")


def _row(row: Any, source: NodeSource, path: str) -> Iterator[Diagnostic]:
    if not isinstance(row, dict):
        yield _malformed("a hazard is a mapping of `hazard`, `address` and `at_most`", source.at(path))
        return
    for key in row:
        if key not in ("hazard", "address", "at_most"):
            yield _malformed(f"a hazard has no `{key}`", source.at(f"{path}.{key}", key=True))
    code, address = row.get("hazard"), row.get("address")
    if not isinstance(code, str) or not code:
        yield _malformed("`hazard` is no code, such as delete", source.at(f"{path}.hazard"))
    named = Address.parse(address) if isinstance(address, str) else Address("", "")
    if named.kind not in BY_NAME or not named.name:
        yield _malformed("`address` is no address, such as queue.import", source.at(f"{path}.address"))
    if code == "delete" and "at_most" in row:
        yield _malformed("a removal has no `at_most`", source.at(f"{path}.at_most", key=True))
    bound = row.get("at_most", 0)
    if bound != ALL and (not isinstance(bound, int) or isinstance(bound, bool) or bound < 0):
        yield _malformed("`at_most` is neither a number of messages nor `all`", source.at(f"{path}.at_most"))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _malformed(message: str, span: Span) -> Diagnostic:
    return fault("E150", f"the approval cannot be read: {message}", span, help=_WRITE)


def _changed(message: str, span: Span, more: str = "") -> Diagnostic:
    said = f"the approval was changed after it was written: {message}"
    return fault("E151", said + (f", {more}" if more else ""), span, help=_WRITE)
