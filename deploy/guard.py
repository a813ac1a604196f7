"""Becomes another program that is sent a signal when the one who started it dies, so that no orphan keeps a port.

`python -I -S guard.py <pid of the starter> <signal> <user id or -> <program> <arguments …>`: standard library only.
It also takes the program's user on: the interpreter itself may lie where that user may not look.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    starter, death_signal, user, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    if user != "-":
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))  # before the prctl below: a change of user clears the death signal
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != starter:  # it died before the line above
            sys.exit(f"{program[0]} was not started: its supervisor is gone")
    # Python ignores these two; an ignored signal would survive exec and break pipes' usual meaning in the program.
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
