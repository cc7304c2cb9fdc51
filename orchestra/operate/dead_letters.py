"""Dead letters that wait: which, why, and what is done with them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from orchestra.live.connect import Database
from orchestra.operate.session import READING

BATCH: Final = 1_000
"""Letters of one transaction: its locks and its row in the ledger stay small."""
LOOKED_AT: Final = 10_000
"""Letters by which errors are grouped, the newest: enough to see what fails, at a price that does not grow."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant: all that are given has to hold. `error` is a part of the error's text in any case."""

    workloads: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    error: str | None = None
    since: datetime | None = None

    @property
    def where(self) -> str:
        parts = ["d.project = %(project)s", "d.redriven_at is null"]
        parts += ["d.workload = any (%(workloads)s)"] if self.workloads else []
        parts += ["d.id = any (%(ids)s)"] if self.ids else []
        parts += ["strpos(lower(d.error), lower(%(error)s)) > 0"] if self.error else []
        parts += ["d.dead_at >= %(since)s"] if self.since else []
        return " and ".join(parts)

    def names(self, project: str) -> dict[str, Any]:
        return {
            "project": project,
            "workloads": list(self.workloads),
            "ids": list(self.ids),
            "error": self.error,
            "since": self.since,
        }


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as the runtime wrote it. `payload` and `headers` are JSON as the database writes it, so that no
    number loses a digit. `reason` is `exhausted` or `permanent`; `redriven_as` the message that it
    was sent back as, if it was."""

    id: int
    workload: str
    queue_name: str
    msg_id: int
    enqueued_at: datetime | None
    payload: str | None
    headers: str | None
    attempts: int
    reason: str
    error: str
    sqlstate: str | None
    dead_at: datetime
    redriven_at: datetime | None = None
    redriven_as: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """How often a workload failed alike: the first line of its errors, and times of the first and last."""

    workload: str
    error: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """`total` is exact below `LOOKED_AT`, and groups are of the newest so many."""

    total: int
    groups: tuple[Group, ...]
    letters: tuple[Letter, ...]

    @property
    def total_is_least(self) -> bool:
        return self.total >= LOOKED_AT


_COLUMNS: Final = (
    "d.id, d.workload, d.queue_name, d.msg_id, d.enqueued_at, d.payload::text as payload, d.headers::text as headers, "
    "d.attempts, d.reason, d.error, d.sqlstate, d.dead_at, d.redriven_at, d.redriven_as"
)


def listing(database: Database, project: str, wanted: Filter, limit: int) -> Listing:
    """The newest `limit` letters, and all of them counted by what they say. It only reads."""
    names = {**wanted.names(project), "limit": limit, "most": LOOKED_AT}
    newest = (
        f"select d.workload, d.error, d.dead_at from orchestra.dead_letter d where {wanted.where} "
        "order by d.id desc limit %(most)s"
    )
    with database.reading(READING):
        groups = database.rows(
            f"""
            select x.workload, split_part(x.error, E'\\n', 1) as error, count(*) as count,
              min(x.dead_at) as first_at, max(x.dead_at) as last_at
            from ({newest}) x
            group by 1, 2
            order by 3 desc, 5 desc, 1, 2
            """,
            names,
        )
        letters = database.rows(
            f"select {_COLUMNS} from orchestra.dead_letter d where {wanted.where} order by d.id desc limit %(limit)s",
            names,
        )
    found = tuple(Group(**row) for row in groups)
    return Listing(sum(group.count for group in found), found, tuple(Letter(**row) for row in letters))


def letter(database: Database, project: str, ident: int) -> Letter | None:
    """One letter, also one that was sent back."""
    with database.reading(READING):
        rows = database.rows(
            f"select {_COLUMNS} from orchestra.dead_letter d where d.project = %(project)s and d.id = %(id)s",
            {"project": project, "id": ident},
        )
    return Letter(**rows[0]) if rows else None


def exported(database: Database, project: str, wanted: Filter) -> Generator[Letter]:
    """All of them, the oldest first, as they were at one moment; a page at a time is in memory."""
    last = 0
    with database.reading(READING):
        while True:
            rows = database.rows(
                f"select {_COLUMNS} from orchestra.dead_letter d where {wanted.where} and d.id > %(last)s "
                "order by d.id limit %(page)s",
                {**wanted.names(project), "last": last, "page": BATCH},
            )
            if not rows:
                return
            yield from (Letter(**row) for row in rows)
            last = rows[-1]["id"]


@dataclass(frozen=True, slots=True)
class Meant:
    """Ids by workload. `left_behind` are tasks whose run goes on, or has ended, without them: only the run itself can
    be tried again. `homeless` are those of workloads that are gone, or have no queue by now: they cannot be sent back.
    `copied_to` is a workload's `dead_letter_queue`, which has a copy of each."""

    ids: Mapping[str, tuple[int, ...]]
    left_behind: tuple[int, ...] = ()
    homeless: tuple[int, ...] = ()
    copied_to: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(map(len, self.ids.values()))


def meant(database: Database, project: str, wanted: Filter, *, to_redrive: bool) -> Meant:
    """Which letters a filter means now, in order."""
    # Headers may be anybody's, and one whose run is no number is of no run.
    comes_back = """
        case when d.headers #>> '{orchestra,run}' is null then true
             when d.headers #>> '{orchestra,run}' !~ '^[0-9]{1,18}$'
               or coalesce(d.headers #>> '{orchestra,a}', '0') !~ '^[0-9]{1,9}$' then false
             else orchestra.may_reopen(d.headers) or orchestra.outlived_its_run(d.headers) end
    """
    with database.reading(READING):
        rows = database.rows(
            f"""
            select d.workload, array_agg(d.id order by d.id) as ids,
              array_agg(d.id order by d.id) filter (where not ({comes_back if to_redrive else "true"})) as behind,
              exists (select from orchestra.workload w
                      where w.project = %(project)s and w.name = d.workload and w.queue_name is not null) as has_queue,
              (select w.dead_letter_queue from orchestra.workload w
               where w.project = %(project)s and w.name = d.workload) as copied_to
            from orchestra.dead_letter d
            where {wanted.where}
            group by d.workload
            order by d.workload
            """,
            wanted.names(project),
        )
    kept: dict[str, tuple[int, ...]] = {}
    behind: list[int] = []
    homeless: list[int] = []
    for row in rows:
        if to_redrive and not row["has_queue"]:
            homeless += row["ids"]
            continue
        skip = frozenset(row["behind"] or ())
        behind += row["behind"] or ()
        if ids := tuple(ident for ident in row["ids"] if ident not in skip):
            kept[row["workload"]] = ids
    copied_to = {row["workload"]: row["copied_to"] for row in rows if row["copied_to"]}
    return Meant(kept, tuple(behind), tuple(homeless), copied_to)


def batches(ids: Sequence[int]) -> Generator[list[int]]:
    for start in range(0, len(ids), BATCH):
        yield list(ids[start : start + BATCH])


def redrive(
    database: Database, project: str, workload: str, ids: Sequence[int], delay_s: float = 0
) -> dict[int, int]:
    """Sends these back as new messages, in a transaction of the caller's: of those that were still there, the message
    that each is now."""
    database.rows(
        "select orchestra.redrive(%(name)s, ids => %(ids)s, delay => make_interval(secs => %(delay)s)) as count",
        {"name": f"{project}/{workload}", "ids": list(ids), "delay": delay_s},
    )
    # Not those that somebody else has sent back meanwhile.
    rows = database.rows(
        "select d.id, d.redriven_as from orchestra.dead_letter d "
        "where d.id = any (%(ids)s) and d.redriven_as is not null and d.xmin = pg_current_xact_id()::xid "
        "order by d.id",
        {"ids": list(ids)},
    )
    return {row["id"]: row["redriven_as"] for row in rows}


def purge(database: Database, project: str, workload: str, ids: Sequence[int]) -> int:
    """Deletes these, in a transaction of the caller's. How many were still there."""
    rows = database.rows(
        "select orchestra.purge_dead_letters(%(name)s, %(ids)s) as count",
        {"name": f"{project}/{workload}", "ids": list(ids)},
    )
    return int(rows[0]["count"])
