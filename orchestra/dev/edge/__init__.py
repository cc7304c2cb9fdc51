"""Edge Functions on this machine: a stand-in for Supabase's edge runtime, with one Deno process as one isolate.

    EdgeServer(functions, env)       the server; see server.py
    gateway → exchange → pool → isolate      the way of a request; wire is HTTP, answers the platform's own
    isolate ↔ control ↔ prelude.ts           who decides, and who knows what is still going on
    find_deno(), database_env(dsn)           what a caller needs around it

What it keeps: reuse until half of the wall clock, retirement, `beforeunload`, the kill at the end; answers in
place of a function that failed. What it has not: websockets, checks of JWTs by the gateway (`verify_jwt`),
several regions, `Supabase.ai`, and limits of what a function may read.
"""

from orchestra.dev.edge.database import database_env
from orchestra.dev.edge.deno import find_deno
from orchestra.dev.edge.errors import EdgeError
from orchestra.dev.edge.log import LogLine
from orchestra.dev.edge.server import EdgeServer
from orchestra.dev.edge.state import IsolateInfo, State

__all__ = ["EdgeError", "EdgeServer", "IsolateInfo", "LogLine", "State", "database_env", "find_deno"]
