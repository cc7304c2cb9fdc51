"""Figures that must hold, as ratios taken in one run: `python -m benchmarks` ends with 1 where one does not."""
