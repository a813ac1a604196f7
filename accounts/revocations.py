"""Tells every web process at once that keys are revoked. Should Valkey be away, each forgets within a second anyway."""

import threading
from collections.abc import Callable, Collection

import structlog
from redis import Redis, RedisError

from core.valkey import valkey

CHANNEL = "accounts:keys-revoked"
RECONNECT_SECONDS = 1.0
_log = structlog.get_logger(__name__)


def announce(prefixes: Collection[str]) -> None:
    """Say that keys of these prefixes are revoked, after the commit that did it."""
    try:
        for prefix in prefixes:
            valkey().publish(CHANNEL, prefix)
    except RedisError as error:
        _log.warning("revocation_not_announced", error=repr(error))


class Listener:
    """Hears announcements in a thread of its own for as long as the process lives."""

    def __init__(self, *, url: str, forget: Callable[[str | None], None]) -> None:
        self._url = url
        self._forget = forget
        self._stop = threading.Event()
        self.listening = threading.Event()
        """Set while announcements arrive."""

    def start(self) -> None:
        """Listen from now on."""
        threading.Thread(target=self._run, name="key-revocations", daemon=True).start()

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except RedisError as error:
                _log.warning("revocations_not_heard", error=repr(error))
                self._stop.wait(RECONNECT_SECONDS)
            finally:
                self.listening.clear()
                self._forget(None)  # what was said while we did not listen is lost

    def _listen(self) -> None:
        with Redis.from_url(self._url, socket_connect_timeout=1.0) as client, client.pubsub() as channel:
            channel.subscribe(CHANNEL)
            while not self._stop.is_set():
                message = channel.get_message(timeout=1.0)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    self.listening.set()
                elif message["type"] == "message":
                    self._forget(message["data"].decode())
