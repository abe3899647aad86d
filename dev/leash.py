"""Run a command that ends when its parent does.

In:   the parent's process id, and the command.
Out:  this process becomes the command. Where the system can (Linux), the command gets SIGTERM as soon as the parent
      is gone, however it went.

A program of its own, and not code between fork and exec, which no thread of the parent could be trusted with.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Put the leash on and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was gone before the leash was on
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 no shell is wanted


if __name__ == "__main__":
    main()
