"""`moved:`: the live state as if the registry knew the new names already, and where each address was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orchestra.ir.program import Address, Program
from orchestra.live.model import Entry, Live
from orchestra.plan.owning import belongs


@dataclass(frozen=True, slots=True)
class Moves:
    """`origin` is the former address of everything that moves; `project` the project's former name, if that moves.
    `taken` are renames whose new name is there beside the former one, new name and former."""

    origin: Mapping[Address, Address] = field(default_factory=dict)
    project: str | None = None
    taken: tuple[tuple[Address, Address], ...] = ()

    @property
    def workloads(self) -> Mapping[str, str]:
        """New names of workloads by former ones."""
        return {old.name: new.name for new, old in self.origin.items() if old.kind == "workload"}


def renamed(program: Program, live: Live, former: str | None = None) -> tuple[Live, Moves]:
    """The registry with every moved entry under its new address; a part that the workload has no more keeps the one
    under which it goes. What has moved before, or was never here, changes nothing. `former` is the project that the
    live state was read of, if its move is still to come."""
    entries = dict(live.entries)
    origin: dict[Address, Address] = {}
    taken: list[tuple[Address, Address]] = []
    if former is not None:
        _give(entries, origin, Address("project", former), Address("project", program.project))
    for old, new in program.moved:
        here, there = Address("workload", old), Address("workload", new)
        if here in program.resources or not _active(entries, here):
            continue
        if _active(entries, there):
            taken.append((there, here))
            continue
        for address in [a for a in entries if belongs(a.name, old) and _active(entries, a)]:
            if address.kind != "project":
                moved = Address(address.kind, new + address.name[len(old) :])
                if moved in program.resources:
                    _give(entries, origin, address, moved)
    if not origin:
        return live, Moves(taken=tuple(taken))
    return replace(live, entries=entries), Moves(origin, former, tuple(taken))


def _active(entries: Mapping[Address, Entry], address: Address) -> bool:
    entry = entries.get(address)
    return entry is not None and not entry.tombstoned


def _give(
    entries: dict[Address, Entry], origin: dict[Address, Address], former: Address, address: Address
) -> None:
    entry = entries.pop(former, None)
    if entry is not None:
        entries[address] = replace(entry, address=address)
        origin[address] = former
