"""The command line: arguments, files, the environment, exit codes. No rules and no SQL.

Only click is imported until a command runs.
"""

from orchestra.cli.root import root as main

__all__ = ["main"]
