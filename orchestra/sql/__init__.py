"""User SQL, inspected with PostgreSQL's own grammar: pure, cached, and never run."""

from orchestra.sql.bind import PARAMETERS, BoundSql, Unknown, bind
from orchestra.sql.inspect import inspect
from orchestra.sql.meaning import same_meaning
from orchestra.sql.model import Inspection, Name, Relation

__all__ = [
    "PARAMETERS",
    "BoundSql",
    "Inspection",
    "Name",
    "Relation",
    "Unknown",
    "bind",
    "inspect",
    "same_meaning",
]
