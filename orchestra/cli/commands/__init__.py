"""One command a file, found by `cli/root.py` under its name."""
