"""What became of an apply that was interrupted: the ledger knows, whatever the client saw last."""

from __future__ import annotations

from orchestra.live.connect import connect

_READ = (
    # Who waits for the end must not wait for the locks of others.
    "begin isolation level read committed read only; "
    "set local lock_timeout = '2s'; set local statement_timeout = '5s'"
)


def landed(url: str, project: str, plan_hash: str, seconds: float) -> tuple[int, ...]:
    """The rows of the ledger that this plan left within the last `seconds`, one a batch. Nothing where it left none.

    ConnectError where the ledger cannot be read.
    """
    database = connect(url)
    try:
        with database.reading(_READ):
            (there,) = database.rows("select to_regclass('orchestra.deployment') is not null as ledger")
            if not there["ledger"]:
                return ()
            found = database.rows(
                "select id from orchestra.deployment where project = %(project)s and plan_hash = %(hash)s "
                "and deployed_at > now() - make_interval(secs => %(seconds)s) order by id",
                {"project": project, "hash": plan_hash, "seconds": seconds},
            )
        return tuple(row["id"] for row in found)
    finally:
        database.close()
