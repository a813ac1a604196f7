"""Faults on order: what a provider's API does to the next requests instead of, or after, answering them."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Literal

Kind = Literal["status", "drop", "time_out"]


@dataclass(frozen=True)
class Fault:
    """`status` answers with it, `drop` closes the connection, `time_out` answers nothing until the client gives up.

    With `after` the request is carried out first: its effect is real, only its answer is lost.
    """

    kind: Kind
    after: bool = False
    status: int = 500
    on: str = ""
    """Only requests whose "METHOD /path" contains this."""


class Faults:
    """The faults that are still to happen to one provider's API. Any thread may call."""

    def __init__(self) -> None:
        self._planned: deque[Fault] = deque()
        self._lock = threading.Lock()

    def fail_next(self, times: int = 1, status: int = 500, *, on: str = "", after: bool = False) -> None:
        """The next `times` matching requests are answered with `status`."""
        self._plan(Fault("status", after=after, status=status, on=on), times)

    def drop_next(self, times: int = 1, *, on: str = "", after: bool = False) -> None:
        """The next `times` matching requests find their connection closed."""
        self._plan(Fault("drop", after=after, on=on), times)

    def time_out_next(self, times: int = 1, *, on: str = "", after: bool = False) -> None:
        """The next `times` matching requests are not answered before their client gives up."""
        self._plan(Fault("time_out", after=after, on=on), times)

    def clear(self) -> None:
        """Forget what has not happened yet."""
        with self._lock:
            self._planned.clear()

    @property
    def waiting(self) -> int:
        """How many have not happened yet."""
        with self._lock:
            return len(self._planned)

    def take(self, request: str) -> Fault | None:
        """The fault that happens to this request ("METHOD /path"), if any; it is used up."""
        with self._lock:
            for fault in self._planned:
                if fault.on in request:
                    self._planned.remove(fault)
                    return fault
        return None

    def _plan(self, fault: Fault, times: int) -> None:
        with self._lock:
            self._planned.extend([fault] * times)
