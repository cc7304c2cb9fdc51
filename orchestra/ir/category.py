"""What a change touches, from the mildest to the gravest."""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    METADATA = "metadata"
    RESCHEDULE = "reschedule"
    BEHAVIOUR = "behaviour"
    CONTRACT = "contract"
    DATA = "data"
