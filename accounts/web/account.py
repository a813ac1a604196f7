"""An account's page: its keys, and what happened to its credentials."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.authentication import signed_in_user
from accounts.models import SecurityEvent, User
from accounts.selectors import list_events, list_keys
from accounts.services.keys import revoke_all_keys, revoke_key
from accounts.services.security_events import origin_of
from core import clock
from core.ui.pages import page

EVENTS_SHOWN = 20
_SENTENCES = {
    SecurityEvent.KEY_CREATED: "Key made",
    SecurityEvent.KEY_REVOKED: "Key revoked",
    SecurityEvent.KEY_USED_FROM_NEW_ADDRESS: "Key used from a new address",
    SecurityEvent.SIGNED_IN: "Signed in",
    SecurityEvent.SIGNED_OUT: "Signed out",
    SecurityEvent.DEVICE_APPROVED: "Device approved",
    SecurityEvent.DEVICE_DENIED: "Device denied",
    SecurityEvent.ACCOUNT_SUSPENDED: "Account suspended",
    SecurityEvent.ACCOUNT_REINSTATED: "Account reinstated",
    SecurityEvent.ACCOUNT_DELETED: "Account deleted",
    SecurityEvent.STAFF_SIGN_IN_FAILED: "Sign-in at the desk failed",
    SecurityEvent.SECOND_FACTOR_ENROLLED: "Second factor set up",
    SecurityEvent.RECOVERY_CODE_USED: "Recovery code used",
    SecurityEvent.SECOND_FACTOR_RESET: "Second factor reset",
}

SignedInView = Callable[[HttpRequest, User], HttpResponse | HttpResponseBase]


def signed_in(view: SignedInView) -> Callable[[HttpRequest], HttpResponseBase]:
    """A view for whoever is signed in; others sign in first, and come back to where they wanted to read."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponseBase:
        user = signed_in_user(request)
        if user is None:
            wanted = request.get_full_path() if request.method in {"GET", "HEAD"} else request.path
            return redirect(f"/sign-in?next={quote(wanted)}")
        return view(request, user)

    return answer


@page
@require_safe
@signed_in
def account(request: HttpRequest, user: User) -> HttpResponse:
    """The account's keys and its last security events."""
    events = [
        {"event": event, "sentence": _SENTENCES[event.kind]}
        for event in list_events(account_id=user.pk, kind=None, before=None, limit=EVENTS_SHOWN)
    ]
    keys = list_keys(account_id=user.pk)
    return render(
        request,
        "accounts/account.html",
        {"account": user, "keys": keys, "usable": sum(1 for key in keys if key.revoked_at is None), "events": events},
    )


@page
@require_POST
@signed_in
def revoke(request: HttpRequest, user: User) -> HttpResponseBase:
    """Revoke one of the account's keys; one that is no (usable) key of this account changes nothing."""
    prefix = request.POST.get("keyPrefix", "")
    if "\0" not in prefix:
        revoke_key(account_id=user.pk, prefix=prefix, now=clock.now(), origin=origin_of(request))
    return redirect("account")


@page
@require_POST
@signed_in
def revoke_all(request: HttpRequest, user: User) -> HttpResponseBase:
    """Revoke every key of the account."""
    revoke_all_keys(account_id=user.pk, now=clock.now(), origin=origin_of(request))
    return redirect("account")
