"""Limits of the platforms, as data: the one place where they are written. Sources: Supabase's limits pages and
the upstream code of pg_cron, pgmq and pg_net, read and measured in November 2026."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """Edge Functions on one Supabase plan."""

    wall_clock_ms: int
    functions: int | None
    invocations_month: int
    """Included for the organization, over all its projects."""
    usd_a_million: float | None
    """Price of each million calls above those, begun ones whole; None where nothing is billed by the call (free), or
    where a contract says what it is (enterprise). Source: supabase.com/docs/guides/platform/manage-your-usage/
    edge-function-invocations, read in November 2026."""

    @property
    def guaranteed_ms(self) -> int:
        """Isolates are reused until half their wall clock is used, so a request is sure of the other half."""
        return self.wall_clock_ms // 2


EDGE: Final = {
    "free": EdgeLimits(wall_clock_ms=150_000, functions=100, invocations_month=500_000, usd_a_million=None),
    "pro": EdgeLimits(wall_clock_ms=400_000, functions=500, invocations_month=2_000_000, usd_a_million=2.0),
    "team": EdgeLimits(
        wall_clock_ms=400_000, functions=1_000, invocations_month=2_000_000, usd_a_million=2.0
    ),
    "enterprise": EdgeLimits(
        wall_clock_ms=400_000, functions=None, invocations_month=2_000_000, usd_a_million=None
    ),
}

EDGE_CPU_MS: Final = 2_000
"""CPU of one request."""
EDGE_BOOT_MS: Final = 1_000
"""Allowance for the boot of an isolate."""
EDGE_MARGIN_MS: Final = 5_000
"""Kept back from an isolate's guaranteed time for its last acknowledgement."""
WAIT_UNTIL_MAX_MS: Final = 30_000
"""The line between one call in the background and a queue: below it, `wait_until`."""

SUPABASE_STATEMENT_TIMEOUT_MS: Final = 120_000
"""`statement_timeout` of Supabase's `postgres` role."""

CRON_SECONDS: Final = range(1, 60)
"""`N seconds` schedules of pg_cron 1.5 and later."""
CRON_ADVISED_JOBS: Final = 8
"""Jobs at once that Supabase advises at most (each costs a connection)."""
CRON_ADVISED_RUN_MS: Final = 600_000
"""Longest run of one job that Supabase advises."""
CRON_MAX_RUNNING: Final = 32
"""`cron.max_running_jobs` by default."""

IDENTIFIER_BYTES: Final = 63
"""PostgreSQL cuts longer identifiers silently."""
LOCKS_PER_QUEUE: Final = 10
"""Locks that one `pgmq.create` holds until commit (measured)."""

EDGE_CPU_SHARE: Final = 0.5
"""The part of an isolate's CPU that a worker fills by count before it takes no more; the rest is its own work."""
EDGE_TURN_MS: Final = 25
"""Allowance for one call of a worker to the database: acknowledge, renew and claim (4 ms measured, plus the way)."""
EDGE_LINGER_MS: Final = 2_000
"""How long an idle worker waits for more before it leaves, where `linger` is not written."""
SQL_TURN_MS: Final = 5
"""Allowance for claiming and settling one message in SQL, two commits (measured: about 1 ms each with fsync)."""
SQL_RUN_MS: Final = 60_000
"""How long one run of a SQL consumer goes on before it leaves the rest to the next tick."""
SQL_MARGIN_MS: Final = 5_000
"""Kept back by it from a `statement_timeout`, which counts for the whole run."""
CRON_BOOT_MS: Final = 50
"""Allowance for the start of a cron job, a connection of its own."""
MONTH_S: Final = 30 * 24 * 3600
"""The month of which invocations are counted: 30 days."""
