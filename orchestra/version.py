"""The version, in a module that costs nothing to load."""

__version__ = "0.1.0"
