"""Becomes another program that dies with the process that started it, however that one ends.

Run as a script, `python -I -S spawn.py PARENT PROGRAM [ARGUMENT…]`: a hook between fork and exec would be
shorter, and may deadlock in a process that has threads. The kernel looks at the thread that forked: it has to
live as long as the child may.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(parent: int, program: str, *arguments: str) -> None:
    if sys.platform == "linux":  # elsewhere the child has to notice by itself
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the parent has gone already")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a heap that overflows would be dumped
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
