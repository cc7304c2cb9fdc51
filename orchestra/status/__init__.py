"""How the work of a database is: read in a constant number of round trips, at a price that no queue raises.

`read` gives a `Snapshot` of one point in time, `judge` says in words what of it calls for somebody, `Source` looks
again and again over a connection that may be lost, and `pace` tells rates from its own looks.
"""

from orchestra.status.model import Snapshot
from orchestra.status.read import read
from orchestra.status.source import Look, Source

__all__ = ["Look", "Snapshot", "Source", "read"]
