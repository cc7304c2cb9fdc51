"""From a workload to the way it should run: `classify(workload, platform)`, pure, total and explained."""

from orchestra.classify.decide import classify, pattern_of
from orchestra.classify.model import Arithmetic, Capacity, Classification, Reason

__all__ = ["Arithmetic", "Capacity", "Classification", "Reason", "classify", "pattern_of"]
