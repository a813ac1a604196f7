"""Becomes another program, tied to the life of the process that started it.

Run by path: `python -I -S tethered.py <parent pid> <program> <arguments…>`. The tie has to be made in the child,
and Python code between fork and exec (`preexec_fn`) can deadlock where threads run; a fresh interpreter that ties
itself and then execs cannot. The kernel sends the signal when the *thread* that started the child ends, so that
thread must wait for it; `workers.ffmpeg` does. Elsewhere than on Linux the program simply runs untied.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie, then exec; the process id stays the same."""
    parent, program, *arguments = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(parent):  # it died before the tie was made
            raise SystemExit(1)
    os.execv(program, [program, *arguments])  # noqa: S606 - a shell is what must not be there


if __name__ == "__main__":
    main()
