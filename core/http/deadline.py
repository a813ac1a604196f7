"""One wall-clock limit over everything a call does: resolving, connecting, sending and receiving."""

import time

from core.http.errors import timed_out


class Deadline:
    """A moment after which nothing may be waited for any more."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left, always more than zero.

        Raises:
            FetchFailed: none are (retryable, reason `timeout`).
        """
        seconds = self._ends - time.monotonic()
        if seconds <= 0:
            raise timed_out()
        return seconds
