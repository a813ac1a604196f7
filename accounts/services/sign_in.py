"""Signing in: whoever proves an email address is its account, which is made at the first time.

What follows from a sign-in in the same transaction (a key) uses `enter` and `refused` itself.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from accounts import google
from accounts.models import SecurityEvent, User
from accounts.refusals import note_refusal
from accounts.services.email_codes import judge_guess, use_code
from accounts.services.security_events import Origin, record
from accounts.services.users import create_account
from core.errors import Forbidden

GOOGLE, EMAIL_CODE = "google", "email_code"
"""How an address was proven."""


class AccountSuspended(Forbidden):
    """This account is suspended."""

    code = "account_suspended"


class StaffSession(Forbidden):
    """Staff open a browser session on the admin's own sign-in page, with their password."""


def sign_in_with_google(*, id_token: str, origin: Origin, now: datetime, browser: bool = False) -> User:
    """The account of a Google ID token's verified address. May fetch Google's certificates, in no transaction.

    `browser` says that a browser's session is to follow, which staff do not get this way.

    Raises:
        accounts.google.IdTokenRefused: it proves nothing.
        accounts.google.GoogleNotConfigured, accounts.google.GoogleUnreachable: it cannot be judged.
        AccountSuspended, StaffSession: the address is proven, and still.
    """
    address = google.verified_address(id_token)
    return sign_in_verified(email=address, method=GOOGLE, origin=origin, now=now, browser=browser)


def sign_in_with_email_code(*, email: str, code: str, origin: Origin, now: datetime, browser: bool = False) -> User:
    """The account of an address (in its normal form) whose newest code this is. The code is used up, once.

    Raises:
        accounts.services.email_codes.CodeRefused: it proves nothing; the guess was counted.
        AccountSuspended, StaffSession: the address is proven, and still; the code is used up.
        RuntimeError: called inside a transaction.
    """
    code_id = judge_guess(email=email, code=code, now=now)
    with transaction.atomic():
        use_code(code_id=code_id, now=now)
        user, refusal = enter(email=email, method=EMAIL_CODE, origin=origin, now=now, browser=browser)
    if refusal is not None:
        raise refused(refusal)
    return user


def sign_in_verified(*, email: str, method: str, origin: Origin, now: datetime, browser: bool = False) -> User:
    """The account of an address (in its normal form) that the caller knows to be proven.

    Raises:
        AccountSuspended, StaffSession: the account may not sign in (like this).
    """
    with transaction.atomic():
        user, refusal = enter(email=email, method=method, origin=origin, now=now, browser=browser)
    if refusal is not None:
        raise refused(refusal)
    return user


def enter(
    *, email: str, method: str, origin: Origin, now: datetime, browser: bool = False
) -> tuple[User, Forbidden | None]:
    """The account of a proven address, and why it stays outside (None: it is in); in the caller's transaction.

    The account is locked until that ends: nobody suspends it meanwhile, or makes a key for it. Raise `refused` of the
    refusal after the commit, so that a used code stays used when the account stays outside.
    """
    user = _account_of(email, origin.referral)
    if not user.is_active:
        return user, AccountSuspended()
    if browser and (user.is_staff or user.is_superuser):
        return user, StaffSession()
    record(account_id=user.pk, kind=SecurityEvent.SIGNED_IN, origin=origin, now=now, method=method)
    return user, None


def refused(refusal: Forbidden) -> Forbidden:
    """The refusal that `enter` returned, counted and logged; for raising."""
    note_refusal("staff_session" if isinstance(refusal, StaffSession) else "suspended")
    return refusal


def _account_of(email: str, referral: str) -> User:
    """One account per address, also when it signs in twice at once for the first time; locked."""
    locked = User.objects.select_for_update(no_key=True)
    found = locked.filter(email=email).first()
    if found is not None:
        return found
    try:
        return create_account(email=email, referral=referral)
    except IntegrityError:
        return locked.get(email=email)
