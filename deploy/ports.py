"""Which loopback ports the servers take: the preferred ones, else free ones, never one another run is about to take.

A port is reserved by a lock file from its choice to the end of the process that chose it, so two runs that start at
the same moment do not both find it free. Chosen ports lie below the kernel's range for outgoing connections, which
could otherwise sit on one just when its server starts.
"""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

GRPC_OFFSET = 10_000
LOWEST, HIGHEST = 11_000, 22_000
"""Where free ports are looked for; with GRPC_OFFSET added they are still below 32 768."""

_reserved: dict[int, int] = {}


class NoFreePort(RuntimeError):
    """Hundreds of ports were tried and all were taken."""


def take(preferred: int | None = None, *, name: str, grpc: bool = False) -> int:
    """Reserve a port: the preferred one, or the next free one above it (said plainly), or any when none is preferred.

    With `grpc` the port 10 000 above is reserved as well: SeaweedFS takes it without asking.

    Raises:
        NoFreePort: nothing was free.
    """
    if preferred is None:
        candidates = random.sample(range(LOWEST, HIGHEST), 500)
    else:
        candidates = [preferred, *range(preferred + 1, preferred + 200)]
    for port in candidates:
        wanted = [port, port + GRPC_OFFSET] if grpc else [port]
        if wanted[-1] < 65_536 and reserve(wanted):
            if preferred is not None and port != preferred:
                print(f"port {preferred} ({name}) is taken by another program; using {port}", flush=True)
            return port
    raise NoFreePort(f"no free port for {name}")


def reserve(ports: list[int]) -> bool:
    """Reserve all of these or none."""
    mine: list[int] = []
    for port in ports:
        if port not in _reserved and _lock(port):
            mine.append(port)
            if is_free(port):
                continue
        release(mine)
        return False
    return True


def release(ports: list[int]) -> None:
    """Give reservations back."""
    for port in ports:
        handle = _reserved.pop(port)
        (folder() / str(port)).unlink(missing_ok=True)  # while it is still locked
        os.close(handle)


def is_free(port: int) -> bool:
    """Nobody listens there, on loopback or on every address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def folder() -> Path:
    """Where this user's reservations lie, and sockets that must not meet another user's of the same port."""
    place = Path(tempfile.gettempdir()) / f"killatamata-ports-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def _lock(port: int) -> bool:
    # Another user's reservations are not seen; against their servers the bind decides.
    handle = os.open(folder() / str(port), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    if os.fstat(handle).st_nlink == 0:  # given back between our open and our lock: this file is nobody's any more
        os.close(handle)
        return _lock(port)
    _reserved[port] = handle
    return True
