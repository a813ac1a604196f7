"""Staff's second factor: codes of an authenticator app (TOTP), and recovery codes for the day it is lost.

A password alone opens nothing for staff. What verifies a session is kept in it by `django_otp`: the device's id, which
means nothing once the device is gone.
"""

import base64
import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import SecurityEvent, User
from accounts.services.security_events import Origin, record
from accounts.services.staff_sign_in import note_failed_sign_in
from core.errors import Forbidden, InvalidState, RateLimited

RECOVERY_CODES = 10
_CODE_BYTES = 10
_GROUP = 4


class WrongCode(Forbidden):
    """This code is not valid: it is mistyped, too old, or was used before."""


class AlreadyEnrolled(InvalidState):
    """This account has a second factor already."""


def has_second_factor(*, user: User) -> bool:
    """Whether a confirmed authenticator is there."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def recovery_codes_left(*, user: User) -> int:
    """How many recovery codes still work."""
    return StaticToken.objects.filter(device__user=user, device__confirmed=True).count()


def is_verified(request: HttpRequest, user: User | AnonymousUser) -> bool:
    """Whether the request's session has been through `user`'s second factor; every session, where none is asked for."""
    if not user.is_authenticated:
        return False
    if not settings.STAFF_SECOND_FACTOR:
        return True
    remembered: tuple[object, bool] | None = getattr(request, "_second_factor", None)
    if remembered is None or remembered[0] != user.pk:
        device_id = request.session.get(DEVICE_ID_SESSION_KEY)
        device = Device.from_persistent_id(device_id) if device_id else None
        verified = device is not None and device.user_id == user.pk and device.confirmed
        remembered = user.pk, verified
        request._second_factor = remembered  # type: ignore[attr-defined]  # asked several times in one request
    return remembered[1]


def begin_enrolment(*, user: User) -> TOTPDevice:
    """The authenticator that waits for its first code; the same one until it got it.

    Raises:
        AlreadyEnrolled: another one is confirmed; only `reset_second_factor` takes it away.
    """
    with transaction.atomic():
        _lock(user)
        if has_second_factor(user=user):
            raise AlreadyEnrolled
        waiting = TOTPDevice.objects.filter(user=user, confirmed=False).first()
        return waiting or TOTPDevice.objects.create(user=user, name="authenticator", confirmed=False)


def confirm_enrolment(*, user: User, code: str, origin: Origin, now: datetime) -> tuple[TOTPDevice, list[str]]:
    """Make the waiting authenticator the second factor; it, and the recovery codes, which are never shown again.

    Raises:
        AlreadyEnrolled: one is confirmed already.
        WrongCode: the authenticator does not show this code.
        RateLimited: the last wrong code is too short a time ago.
    """
    with transaction.atomic():
        _lock(user)
        if has_second_factor(user=user):
            raise AlreadyEnrolled
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        wait = _wait(device)
        accepted = device is not None and wait is None and device.verify_token(_plain(code))
        codes: list[str] = []
        if device is not None and accepted:
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            codes = _new_recovery_codes(user)
            record(account_id=user.pk, kind=SecurityEvent.SECOND_FACTOR_ENROLLED, origin=origin, now=now)
    if device is None or not accepted:
        _refuse(wait)
    return device, codes


def verify(*, user: User, code: str, origin: Origin, now: datetime) -> Device:
    """The device whose code this is: six digits of the authenticator, or a recovery code, which is used up.

    No code works twice. Wrong ones are counted: each doubles the wait for the next try, and is a security event.

    Raises:
        WrongCode: it is no code of this account.
        RateLimited: the last wrong code is too short a time ago.
    """
    plain = _plain(code)
    kind, token = (TOTPDevice, plain) if len(plain) == 6 and plain.isdigit() else (StaticDevice, _digest(plain))
    with transaction.atomic():
        device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
        wait = _wait(device)
        accepted = device is not None and wait is None and device.verify_token(token)
        if accepted and kind is StaticDevice:
            left = recovery_codes_left(user=user)
            record(account_id=user.pk, kind=SecurityEvent.RECOVERY_CODE_USED, origin=origin, now=now, codesLeft=left)
        if not accepted:
            note_failed_sign_in(user=user, step="second_factor", origin=origin, now=now)
    if device is None or not accepted:
        _refuse(wait)
    return device


def reset_second_factor(*, account_id: UUID, actor_id: UUID | None, reason: str, origin: Origin, now: datetime) -> bool:
    """Take the account's authenticator and recovery codes away and end its sessions; the next sign-in enrols anew.

    False when there was none.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=account_id)
        gone = TOTPDevice.objects.filter(user=user).delete()[0] + StaticDevice.objects.filter(user=user).delete()[0]
        if not gone:
            return False
        User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
        record(
            account_id=user.pk,
            kind=SecurityEvent.SECOND_FACTOR_RESET,
            origin=origin,
            now=now,
            actor_id=actor_id,
            reason=reason,
        )
    return True


def _new_recovery_codes(user: User) -> list[str]:
    """Ten codes of 80 bits; only digests are kept, so that a copy of the database holds none."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes", confirmed=True)
    plain = [base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create([StaticToken(device=device, token=_digest(code)) for code in plain])
    return ["-".join(code[place : place + _GROUP] for place in range(0, len(code), _GROUP)) for code in plain]


def _digest(code: str) -> str:
    """Sixteen characters, all that the column holds. The codes are random: no salt or slow hash would add anything."""
    return base64.b32encode(hashlib.sha256(b"recovery:" + code.encode()).digest()[:_CODE_BYTES]).decode().lower()


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _wait(device: Device | None) -> int | None:
    """Seconds until this device hears another code; None: now."""
    if device is None:
        return None
    allowed, why = device.verify_is_allowed()
    if allowed:
        return None
    seconds = (why["locked_until"] - device.throttling_failure_timestamp).total_seconds()
    return max(1, round(seconds))


def _refuse(wait: int | None) -> None:
    if wait is not None:
        raise RateLimited(f"Wait {wait} seconds before the next code.", retry_after=wait)
    raise WrongCode


def _lock(user: User) -> None:
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
