"""Get a key without typing one: somebody who is signed in approves a short code (RFC 8628)."""

from __future__ import annotations

from collections.abc import Callable

from killatamata.client import Client
from killatamata.errors import ApiError, LinkRefused, RateLimited, TransportError, Unavailable
from killatamata.models import DeviceLink, LinkedKey
from killatamata.transport import Pacing

SLOWER_BY = 5.0
"""Seconds that each `slow_down` adds where the server does not say how many."""


def link(
    client: Client,
    *,
    label: str | None = None,
    on_start: Callable[[DeviceLink], None],
    pacing: Pacing | None = None,
) -> LinkedKey:
    """A new key, once somebody has approved the code that `on_start` is to show them.

    Raises:
        LinkRefused: it was denied, or nobody approved it in time.
    """
    pacing = pacing or Pacing()
    started = client.start_link(label=label)
    on_start(started)
    give_up = pacing.monotonic() + started.expires_in
    interval = started.interval
    while True:
        pacing.sleep(interval)
        try:
            return client.poll_link(started.device_code)
        except (TransportError, Unavailable, RateLimited):
            interval += SLOWER_BY
        except ApiError as refusal:
            interval = _next_interval(refusal, interval)
        if pacing.monotonic() > give_up:
            raise LinkRefused("expired_token", "Nobody approved the code in time.")


def _next_interval(refusal: ApiError, interval: float) -> float:
    """How long to wait before the next poll, where there may be one."""
    asked = refusal.details.get("interval")
    known = float(asked) if isinstance(asked, (int, float)) and not isinstance(asked, bool) and asked > 0 else None
    match refusal.code:
        case "authorization_pending":
            return interval if known is None else max(known, interval)
        case "slow_down":
            return interval + SLOWER_BY if known is None else max(known, interval)
        case "access_denied":
            raise LinkRefused("access_denied", "The code was denied.") from None
        case "expired_token":
            raise LinkRefused("expired_token", "The code has run out or was used already.") from None
        case _:
            raise refusal
