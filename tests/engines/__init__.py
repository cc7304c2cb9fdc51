"""The servers that tests run against: `embedded` (18, stand-ins), `pg17` and `pg15` (real pg_cron)."""

from engines.engine import NAMES, Engine
from engines.pool import Pool
from engines.server import EngineMissing

__all__ = ["NAMES", "Engine", "EngineMissing", "Pool"]
