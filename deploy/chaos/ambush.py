"""Something that waits at a named place for the next one who passes, and strikes once."""

import threading
from collections.abc import Callable, Hashable


class Ambush:
    """One strike, lying in wait."""

    def __init__(self, strike: Callable[[str], None]) -> None:
        self._strike = strike
        self.landed = threading.Event()
        self.victim = ""
        """Whatever the place says of the one who passed: a path, a job."""

    def spring(self, victim: str) -> None:
        """Strike; whoever laid the ambush learns of it by `landed`."""
        self.victim = victim
        self._strike(victim)
        self.landed.set()


class Ambushes:
    """The ambushes of one server, at most one at each place."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._laid: dict[Hashable, Ambush] = {}

    def lay(self, place: Hashable, strike: Callable[[str], None]) -> Ambush:
        """Wait at `place`, whose next passer-by is struck."""
        ambush = Ambush(strike)
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
