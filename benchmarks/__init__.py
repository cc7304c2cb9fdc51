"""Figures that must hold, as ratios taken in one run: `python -m benchmarks` fails where they do not."""
