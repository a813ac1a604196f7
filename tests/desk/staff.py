"""Staff at the desk: made, put into groups, and signed in past their second factor."""

import time
from itertools import count
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from accounts.services.staff import sync_groups
from accounts.services.users import create_account
from gateway.desk.groups import GROUPS, POWERS

_numbers = count(1)


def make_staff(*groups: str, superuser: bool = False) -> User:
    """Somebody in these groups, whose permissions are those of `gateway.desk.groups`."""
    if Group.objects.filter(name__in=groups).count() < len(groups):
        sync_groups(groups=GROUPS, powers=POWERS)
    name = "-".join(groups) or ("root" if superuser else "nobody")
    user = create_account(email=f"{name}-{next(_numbers)}@staff.example", is_staff=True, is_superuser=superuser)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def signed_in(user: User) -> Client:
    """A browser with a verified session of `user`'s."""
    device, _ = TOTPDevice.objects.get_or_create(user=user, confirmed=True, defaults={"name": "authenticator"})
    browser = Client(raise_request_exception=True)
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session: Any = browser.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    return browser


def desk(*groups: str, superuser: bool = False) -> Client:
    """A browser of somebody new."""
    return signed_in(make_staff(*groups, superuser=superuser))


def code_of(device: TOTPDevice, steps: int = 0) -> str:
    """What the authenticator shows now, or `steps` half minutes later."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():06d}"
