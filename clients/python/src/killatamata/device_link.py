"""Get a key without typing one: somebody who is signed in approves a short code (RFC 8628)."""

from __future__ import annotations

from collections.abc import Callable

from killatamata.client import Client
from killatamata.errors import ApiError, LinkRefused, RateLimited, TransportError, Unavailable
from killatamata.models import DeviceLink, LinkedKey
from killatamata.transport import Pacing

SLOWER_BY = 5.0
"""Seconds that each `slow_down` adds where the server does not say how many."""
_MAYBE_MADE = (
    " An answer of the server was lost before: it may have held a key that was made then and is shown only once. "
    "Look among the account's keys for one that nobody has, and revoke it."
)


def link(
    client: Client,
    *,
    label: str | None = None,
    on_start: Callable[[DeviceLink], None],
    pacing: Pacing | None = None,
) -> LinkedKey:
    """A new key, once somebody has approved the code that `on_start` is to show them.

    Raises:
        LinkRefused: it was denied, or nobody approved it in time; the text says so where a key may have been made whose
            answer was lost.
    """
    pacing = pacing or Pacing()
    started = client.start_link(label=label)
    on_start(started)
    give_up = pacing.monotonic() + started.expires_in
    interval = started.interval
    lost = False  # whether an answer since the last sound one may have held the key
    while True:
        pacing.sleep(interval)
        try:
            return client.poll_link(started.device_code)
        except RateLimited:
            interval += SLOWER_BY
        except (TransportError, Unavailable):
            interval += SLOWER_BY
            lost = True
        except ApiError as refusal:
            interval = _next_interval(refusal, interval, lost=lost)
            lost = False  # it waits to be decided, so no key was made
        if pacing.monotonic() > give_up:
            raise LinkRefused("expired_token", "Nobody approved the code in time." + (_MAYBE_MADE if lost else ""))


def _next_interval(refusal: ApiError, interval: float, *, lost: bool) -> float:
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
            told = "The code has run out or was used already." + (_MAYBE_MADE if lost else "")
            raise LinkRefused("expired_token", told) from None
        case _:
            raise refusal
