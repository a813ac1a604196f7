"""A program gets a key by a person's approval in a browser or by another key's (RFC 8628).

The device code is the program's secret and kept only as its digest. The user code gives nothing away: whoever knows it
can approve or deny with an account of their own; guessing is limited all the same.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.device_transitions import APPROVED, DENIED, EXPIRED, LINK, PENDING, status_at
from accounts.digests import digest, digests
from accounts.models import ApiKey, DeviceLink, SecurityEvent
from accounts.services.attempts import Limit, count_attempt
from accounts.services.key_requests import lock_minting_account
from accounts.services.keys import NewKey, mint_key
from accounts.services.security_events import Origin, record
from core.client_address import subscriber
from core.errors import ApiError, InvalidState, NotFound

LIFETIME = timedelta(minutes=10)
KEPT = timedelta(days=1)
INTERVAL_SECONDS = 5
SLOWER_SECONDS = 5
"""What a poll that comes too early adds to the interval, at most up to LIFETIME."""
DEVICE_SCHEME = "ktd_"
DEFAULT_LABEL = "Linked device"
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Of user codes: no vowels, so no words; no digits, so nothing to mistake."""

WRONG_CODES_BY_ADDRESS = Limit(kind="device_code_by_address", most=20, window=timedelta(minutes=10))
WRONG_CODES_BY_ACCOUNT = Limit(kind="device_code_by_account", most=10, window=timedelta(minutes=10))
_HALF = 4
_MOST_DRAWS = 10


class LinkNotFound(NotFound):
    """There is no device link of this user code."""


class LinkExpired(ApiError):
    """The device link has expired; start another one."""

    code = "gone"
    http_status = 410


class LinkDecided(InvalidState):
    """The device link was approved or denied before."""


class AuthorizationPending(ApiError):
    """Nobody has approved or denied the device link yet; poll again after the interval."""

    code = "authorization_pending"


class SlowDown(ApiError):
    """Nobody has approved or denied the device link yet, and the polls come too fast: the interval grew."""

    code = "slow_down"


class AccessDenied(ApiError):
    """The device link was denied."""

    code = "access_denied"


class ExpiredToken(ApiError):
    """The device code is unknown, expired or used up; start another device link."""

    code = "expired_token"


@dataclass(frozen=True, kw_only=True)
class StartedLink:
    """A link just started, with the only copy of its device code."""

    link: DeviceLink
    device_code: str


def start_link(*, label: str, origin: Origin, now: datetime) -> StartedLink:
    """A pending link for LIFETIME; `label` is the name of the key to come, empty for the default.

    Raises:
        RuntimeError: no free user code was drawn in several tries.
    """
    device_code = DEVICE_SCHEME + secrets.token_urlsafe(32)
    for _ in range(_MOST_DRAWS):
        try:
            with transaction.atomic():
                link = DeviceLink.objects.create(
                    device_digest=digest(device_code),
                    user_code=draw_user_code(),
                    label=label,
                    requested_from=origin.address,
                    interval_seconds=INTERVAL_SECONDS,
                    created_at=now,
                    expires_at=now + LIFETIME,
                )
        except IntegrityError:
            continue  # the user code is taken
        return StartedLink(link=link, device_code=device_code)
    raise RuntimeError("no free user code")


def draw_user_code() -> str:
    """A fresh `ABCD-EFGH`."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(2 * _HALF))
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


def find_link(*, user_code: str, origin: Origin, now: datetime) -> DeviceLink:
    """The link of a user code that somebody typed: in any case, with the dash or without.

    Raises:
        LinkNotFound: there is none; counted against the address.
        RateLimited: the address asked for too many that do not exist.
    """
    return _look_up(user_code, WRONG_CODES_BY_ADDRESS, subscriber(origin.address), now)


def approve_link(
    *, account_id: UUID, key_id: UUID | None, user_code: str, label: str | None, origin: Origin, now: datetime
) -> DeviceLink:
    """Let the program have a key of this account: a child of the key that approves (None: a person does).

    The key itself is made by the poll that fetches it. `label` overrides the one that the program chose. Approving
    again what the same account approved changes nothing.

    Raises:
        LinkNotFound: there is no such link; counted against the account.
        RateLimited: the account named too many that do not exist.
        LinkExpired: nobody decided, or fetched the key, in time.
        LinkDecided: it was denied, approved by another account, or its key was fetched; details.status.
    """
    link = _look_up(user_code, WRONG_CODES_BY_ACCOUNT, str(account_id), now)
    label = label or link.label
    with transaction.atomic():
        moved = LINK.apply("approve", _live(link, now), approved_by_id=account_id, approved_with_id=key_id, label=label)
        if moved:
            _record(SecurityEvent.DEVICE_APPROVED, account_id, key_id, link, label, origin, now)
    link.refresh_from_db()
    if moved or (status_at(link, now) == APPROVED and link.approved_by_id == account_id):
        return link
    raise _refusal(link, now)


def deny_link(*, account_id: UUID, key_id: UUID | None, user_code: str, origin: Origin, now: datetime) -> DeviceLink:
    """Refuse the program, for good.

    Raises:
        LinkNotFound, RateLimited, LinkExpired: as in approving.
        LinkDecided: it was approved or denied before; details.status.
    """
    link = _look_up(user_code, WRONG_CODES_BY_ACCOUNT, str(account_id), now)
    with transaction.atomic():
        moved = LINK.apply("deny", _live(link, now))
        if moved:
            _record(SecurityEvent.DEVICE_DENIED, account_id, key_id, link, link.label, origin, now)
    link.refresh_from_db()
    if not moved:
        raise _refusal(link, now)
    return link


def poll_link(*, device_code: str, origin: Origin, now: datetime) -> NewKey:
    """The key that a person allowed, made by this very poll and handed over once.

    Polls of one link wait for each other. While nobody has decided, one that comes sooner than the interval after the
    one before makes the interval longer.

    Raises:
        AuthorizationPending, SlowDown: nobody has decided; details.interval in seconds.
        AccessDenied: it was denied, or who approved is suspended or used a key that was revoked since.
        ExpiredToken: unknown, expired, or handed over: which of them is not told.
        TooManyKeys: the account has as many as it may; the link stays approved.
    """
    with transaction.atomic():
        outcome = _poll(device_code, origin, now)
    if isinstance(outcome, ApiError):
        raise outcome  # after the commit: the poll itself must be remembered
    return outcome


def forget_old(*, now: datetime, limit: int = 5000) -> int:
    """Delete links that were started longer ago than they are kept; how many."""
    old = DeviceLink.objects.filter(created_at__lt=now - KEPT).order_by("created_at").values("pk")[:limit]
    return DeviceLink.objects.filter(pk__in=old).delete()[0]


def _poll(device_code: str, origin: Origin, now: datetime) -> NewKey | ApiError:
    link = DeviceLink.objects.select_for_update().filter(device_digest__in=digests(device_code)).first()
    if link is None:
        return ExpiredToken()
    status = status_at(link, now)
    if status == PENDING:
        return _not_yet(link, now)
    if status == APPROVED:
        return _hand_over(link, origin, now)
    return AccessDenied() if status == DENIED else ExpiredToken()


def _not_yet(link: DeviceLink, now: datetime) -> ApiError:
    early = link.polled_at is not None and now < link.polled_at + timedelta(seconds=link.interval_seconds)
    interval = link.interval_seconds
    if early:
        interval = min(interval + SLOWER_SECONDS, int(LIFETIME.total_seconds()))
    DeviceLink.objects.filter(pk=link.pk).update(polled_at=now, interval_seconds=interval)
    return (SlowDown if early else AuthorizationPending)(details={"interval": interval})


def _hand_over(link: DeviceLink, origin: Origin, now: datetime) -> NewKey | ApiError:
    this = DeviceLink.objects.filter(pk=link.pk)
    if link.approved_by_id is None:
        raise LookupError(f"device link {link.pk} is approved by nobody")
    user = lock_minting_account(account_id=link.approved_by_id, key_id=link.approved_with_id)
    if user is None:
        LINK.apply("withdraw", this)
        return AccessDenied()
    if not LINK.apply("consume", this):
        return ExpiredToken()
    return mint_key(
        user=user, label=link.label or DEFAULT_LABEL, now=now, parent_id=link.approved_with_id, origin=origin
    )


def _look_up(user_code: str, limit: Limit, subject: str, now: datetime) -> DeviceLink:
    """Atomic: however many guess at once, only so many are answered."""
    with transaction.atomic():
        count_attempt(subjects=[(limit, subject)], now=now)
        link = DeviceLink.objects.filter(user_code=_canonical(user_code)).first()
        if link is not None:
            transaction.set_rollback(True)  # a right code is no attempt
    if link is None:
        raise LinkNotFound
    return link


def _canonical(user_code: str) -> str:
    letters = user_code.strip().replace("-", "")
    letters = letters.upper() if letters.isascii() else ""
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


def _live(link: DeviceLink, now: datetime) -> QuerySet[DeviceLink]:
    return DeviceLink.objects.filter(pk=link.pk, expires_at__gt=now)


def _refusal(link: DeviceLink, now: datetime) -> ApiError:
    status = status_at(link, now)
    if status == EXPIRED:
        return LinkExpired()
    return LinkDecided(details={"status": status})


def _record(
    kind: str, account_id: UUID, key_id: UUID | None, link: DeviceLink, label: str, origin: Origin, now: datetime
) -> None:
    prefix = ApiKey.objects.values_list("prefix", flat=True).get(pk=key_id) if key_id is not None else ""
    record(
        account_id=account_id,
        kind=kind,
        origin=origin,
        now=now,
        key_prefix=prefix,
        label=label,
        requestedFrom=link.requested_from,
    )
