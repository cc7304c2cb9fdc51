"""User SQL, inspected with PostgreSQL's own grammar: pure, cached, and never run."""

from orchestra.sql.bind import PARAMETERS, BoundSql, Unknown, bind
from orchestra.sql.inspect import inspect
from orchestra.sql.meaning import same_meaning
from orchestra.sql.model import Inspection, Name, Relation, Text
from orchestra.sql.sends import sends

__all__ = [
    "PARAMETERS",
    "BoundSql",
    "Inspection",
    "Name",
    "Relation",
    "Text",
    "Unknown",
    "bind",
    "inspect",
    "same_meaning",
    "sends",
]
