"""Something that waits at a named place for the next one who passes, and strikes once."""

import threading
from collections.abc import Callable, Hashable


class Ambush:
    """One strike, lying in wait."""

    def __init__(self, strike: Callable[[str], None], ready: threading.Event | None) -> None:
        self._strike = strike
        self.ready = ready
        """Set by a strike that has taken its position, where the victim walks on meanwhile."""
        self.landed = threading.Event()

    def spring(self, victim: str) -> None:
        """Strike `victim` (a path, a job); whoever laid the ambush learns of it by `landed`."""
        self._strike(victim)
        self.landed.set()


class Ambushes:
    """The ambushes of one server, at most one at each place."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._laid: dict[Hashable, Ambush] = {}

    def lay(self, place: Hashable, strike: Callable[[str], None], *, ready: threading.Event | None = None) -> Ambush:
        """Wait at `place`, whose next passer-by is struck."""
        ambush = Ambush(strike, ready)
        with self._lock:
            self._laid[place] = ambush
        return ambush

    def take(self, place: Hashable) -> Ambush | None:
        """The ambush laid there, if any: whoever gets it springs it, nobody else will."""
        with self._lock:
            return self._laid.pop(place, None)

    def lift(self, place: Hashable) -> None:
        """Go home: nobody came."""
        with self._lock:
            self._laid.pop(place, None)
