"""Keeps a set of units (servers and programs) running: what ends unasked is started again, with growing pauses."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY_AFTER = 60.0
"""A unit that ran this long starts its next series of restarts with the first pause again."""
LOOK_EVERY = 0.1


class Unit(Protocol):
    """What can be kept running: a Server or a Program."""

    name: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    @property
    def alive(self) -> bool: ...
    @property
    def pid(self) -> int | None: ...


class Supervised:
    """A unit together with the wish whether it should run. Every method may be called from any thread."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.name = unit.name
        self.restarts = 0
        """How often it was started again after ending unasked."""
        self._wanted = False
        self._lock = threading.RLock()
        self._pause = FIRST_PAUSE
        self._started = 0.0
        self._due: float | None = None

    @property
    def pid(self) -> int | None:
        return self.unit.pid

    @property
    def alive(self) -> bool:
        return self.unit.alive

    def start(self) -> None:
        with self._lock:
            self._wanted = True
            self._due = None
            self._started = time.monotonic()
            self.unit.start()

    def stop(self) -> None:
        with self._lock:
            self._wanted = False
            self.unit.stop()

    def release(self) -> None:
        """Let it run, but watch over it no longer."""
        with self._lock:
            self._wanted = False

    def kill(self, *, stay_down: bool = False) -> None:
        """SIGKILL it and all that it started. It comes back like after any crash, unless `stay_down`."""
        if stay_down:
            self._wanted = False
        self.unit.kill()

    def restart(self) -> None:
        with self._lock:
            self.stop()
            self.start()

    def look(self, say: Callable[[str], None]) -> None:
        """Start it again when it ended unasked and its pause is over."""
        if not self._wanted or self.unit.alive or not self._lock.acquire(blocking=False):
            return
        try:
            now = time.monotonic()
            if self._due is None:
                if now - self._started > HEALTHY_AFTER:
                    self._pause = FIRST_PAUSE
                self._due = now + self._pause
                say(f"{self.name} ended unexpectedly; starting it again in {self._pause:g} s")
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
            elif self._wanted and now >= self._due:
                self._restart_crashed(say)
        finally:
            self._lock.release()

    def _restart_crashed(self, say: Callable[[str], None]) -> None:
        self.restarts += 1
        self._due = None
        self._started = time.monotonic()
        try:
            self.unit.start()
            say(f"{self.name} runs again")
        except Exception as error:  # whatever it was, the next look tries again after a longer pause
            self.unit.kill()
            say(f"{self.name} did not start: {error}")


class Supervisor:
    """Several units and the threads that watch over them."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.units: dict[str, Supervised] = {}
        self._say = say
        self._ending = threading.Event()

    def add(self, unit: Unit) -> Supervised:
        """Take a unit under supervision; units stop in the reverse order of their addition."""
        supervised = self.units[unit.name] = Supervised(unit)
        return supervised

    def watch(self) -> None:
        """Begin to restart what ends unasked: one thread a unit, so a slow start delays no other's."""
        self._ending.clear()
        for unit in self.units.values():
            threading.Thread(target=self._watch, args=[unit], name=f"watch-{unit.name}", daemon=True).start()

    def stop_watching(self) -> None:
        self._ending.set()

    def _watch(self, unit: Supervised) -> None:
        while not self._ending.wait(LOOK_EVERY):
            unit.look(self._say)
