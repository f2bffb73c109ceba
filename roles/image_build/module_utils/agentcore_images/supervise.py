"""Run by ``process``: starts a program and ends it, with all its children, if its owner dies.

The owner holds the other end of standard input. However the owner ends, killed outright
included, the kernel closes it, and this process then ends the program's whole process group.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

POLL_SECONDS = 0.2
GRACE_SECONDS = 10.0
NOT_FOUND = 127


def main() -> int:
    """Run the command in the arguments; return its status."""
    try:
        child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"cannot be run: {error.strerror}", file=sys.stderr)
        return NOT_FOUND
    while True:
        try:
            return child.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        if select.select([sys.stdin], [], [], 0)[0] and not os.read(sys.stdin.fileno(), 1):
            break
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(GRACE_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    return 128 + signal.SIGTERM


if __name__ == "__main__":
    sys.exit(main())
