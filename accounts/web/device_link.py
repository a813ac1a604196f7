"""A person looks at a device link and approves or denies it. Looking decides nothing."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.device_transitions import PENDING, status_at
from accounts.models import DeviceLink, User
from accounts.services.device_links import DEFAULT_LABEL, LinkNotFound, approve_link, deny_link, find_link
from accounts.services.security_events import origin_of
from accounts.web.account import signed_in
from accounts.web.forms import DecisionForm, UserCodeForm, first_error
from accounts.web.sign_in import refused
from core import clock
from core.errors import ApiError
from core.ui.pages import page

_DECIDED = {
    "approved": "This request was approved before.",
    "denied": "This request was denied before.",
    "expired": "This request has expired. Start again in the program.",
    "consumed": "This request was approved, and its key was handed over.",
}


@page
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def link(request: HttpRequest, user: User) -> HttpResponse:
    """Ask for the code, show what asks for a key, decide."""
    if request.method == "POST":
        return _decide(request, user)
    if "code" not in request.GET:
        return _code_page(request, user)
    form = UserCodeForm(request.GET)
    if not form.is_valid():
        return _code_page(request, user, code=request.GET["code"], error=first_error(form), status=400)
    code, now = form.cleaned_data["code"], clock.now()
    try:
        found = find_link(user_code=code, origin=origin_of(request), now=now)
    except ApiError as error:
        return _refusal_page(request, user, code, error)
    status = status_at(found, now)
    if status != PENDING:
        return _code_page(request, user, error=_DECIDED[status])
    return _decision_page(request, user, found)


def _decide(request: HttpRequest, user: User) -> HttpResponse:
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _code_page(request, user, code=request.POST.get("code", ""), error=first_error(form), status=400)
    code, label, now, origin = form.cleaned_data["code"], form.cleaned_data["label"], clock.now(), origin_of(request)
    approved = form.cleaned_data["decision"] == "approve"
    try:
        if approved:
            decided = approve_link(
                account_id=user.pk, key_id=None, user_code=code, label=label or None, origin=origin, now=now
            )
        else:
            decided = deny_link(account_id=user.pk, key_id=None, user_code=code, origin=origin, now=now)
    except ApiError as error:
        return _refusal_page(request, user, code, error)
    return render(request, "accounts/link_done.html", {"account": user, "approved": approved, **_shown(decided)})


def _code_page(
    request: HttpRequest, user: User, *, code: str = "", error: str | None = None, status: int = 200
) -> HttpResponse:
    return render(request, "accounts/link_code.html", {"account": user, "code": code, "error": error}, status=status)


def _refusal_page(request: HttpRequest, user: User, code: str, error: ApiError) -> HttpResponse:
    sentence = "No program shows this code." if isinstance(error, LinkNotFound) else error.message
    return refused(_code_page(request, user, code=code, error=sentence), error)


def _decision_page(request: HttpRequest, user: User, found: DeviceLink) -> HttpResponse:
    return render(request, "accounts/link.html", {"account": user, **_shown(found)})


def _shown(found: DeviceLink) -> dict[str, Any]:
    return {"link": found, "label": found.label or DEFAULT_LABEL}
