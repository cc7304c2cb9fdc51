"""From a workload to the way it should run: `classify(workload, platform)`, pure, total and explained."""

from orchestra.classify.capacity import arithmetic, included_a_month, invocations_a_month, prove, retry_span_s
from orchestra.classify.decide import Decision, classify, decide, ignored, pattern_of
from orchestra.classify.model import Arithmetic, Capacity, Classification, Reason

__all__ = [
    "Arithmetic",
    "Capacity",
    "Classification",
    "Decision",
    "Reason",
    "arithmetic",
    "classify",
    "decide",
    "ignored",
    "included_a_month",
    "invocations_a_month",
    "pattern_of",
    "prove",
    "retry_span_s",
]
