"""Signing in at the desk: the password, then the second factor; only then is there a session of somebody.

Between the two steps the browser's session names nobody: it holds whose password was right, for ten minutes.
"""

import base64
import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import django_otp
import qrcode
import qrcode.image.svg
from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.crypto import constant_time_compare
from django.utils.safestring import SafeString, mark_safe
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.services.second_factor import (
    WrongCode,
    begin_enrolment,
    confirm_enrolment,
    has_second_factor,
    verify,
)
from accounts.services.security_events import origin_of
from accounts.services.staff_sign_in import count_password_attempt, note_sign_in, note_wrong_password
from core import clock
from core.errors import InvalidState, RateLimited
from core.ui.pages import own_path

STAFF_BACKEND = "django.contrib.auth.backends.ModelBackend"
PASSWORD_GOOD_FOR = timedelta(minutes=10)
_PENDING = "desk_pending"


class PasswordForm(AuthenticationForm):
    """Address and password of staff, counted before they are judged."""

    def clean(self) -> dict[str, Any]:
        """Django's check, after the count; a wrong one is a security event of that account."""
        email, origin, now = self.cleaned_data.get("username") or "", origin_of(self.request), clock.now()
        try:
            count_password_attempt(email=email, origin=origin, now=now)
        except RateLimited as refusal:
            raise ValidationError(refusal.message) from refusal
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            note_wrong_password(email=email, origin=origin, now=now)
            raise
        return cleaned


class CodeForm(forms.Form):
    """A code of the authenticator, or a recovery code."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "inputmode": "text", "spellcheck": "false"}
        ),
    )


class PasswordStep(LoginView):
    """The first page: a right password leads to the second factor, not to a session."""

    next_page = "admin:index"

    def form_valid(self, form: Any) -> HttpResponse:
        """Remember whose password it was; where no second factor is asked for, sign in."""
        user = form.get_user()
        if settings.STAFF_SECOND_FACTOR:
            self.request.session.flush()
            self.request.session[_PENDING] = {
                "user": str(user.pk),
                "hash": user.get_session_auth_hash(),
                "at": clock.now().isoformat(),
                "next": self.get_success_url(),
            }
            return redirect("admin:second_factor")
        note_sign_in(user=user, origin=origin_of(self.request), now=clock.now())
        return super().form_valid(form)


class _Pending(NamedTuple):
    user: Any
    next: str


def second_factor(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The second page: the first time it enrols an authenticator, from then on it asks for its code."""
    pending = _pending(request)
    if pending is None:
        return redirect("admin:login")
    if has_second_factor(user=pending.user):
        return _ask_code(request, pending, context)
    return _enrol(request, pending, context)


def _ask_code(request: HttpRequest, pending: _Pending, context: dict[str, Any]) -> HttpResponse:
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        now = clock.now()
        try:
            device = verify(user=pending.user, code=form.cleaned_data["code"], origin=origin_of(request), now=now)
        except (WrongCode, RateLimited) as refusal:
            form.add_error("code", refusal.message)
        else:
            _sign_in(request, pending.user, device, now)
            return redirect(pending.next)
    return TemplateResponse(request, "desk/second_factor.html", {**context, "form": form, "title": "Second factor"})


def _enrol(request: HttpRequest, pending: _Pending, context: dict[str, Any]) -> HttpResponse:
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        now = clock.now()
        try:
            device, codes = confirm_enrolment(
                user=pending.user, code=form.cleaned_data["code"], origin=origin_of(request), now=now
            )
        except (WrongCode, RateLimited) as refusal:
            form.add_error("code", refusal.message)
        except InvalidState:
            return redirect("admin:second_factor")  # enrolled meanwhile, in another window
        else:
            _sign_in(request, pending.user, device, now)
            shown = {**context, "title": "Recovery codes", "codes": codes, "next": pending.next}
            return TemplateResponse(request, "desk/recovery_codes.html", shown)
    device = begin_enrolment(user=pending.user)
    shown = {
        **context,
        "form": form,
        "title": "Second factor",
        "qr": _qr(device),
        "secret": _secret(device),
        "account": pending.user,
    }
    return TemplateResponse(request, "desk/enrol.html", shown)


def _sign_in(request: HttpRequest, user: Any, device: Device, now: datetime) -> None:
    request.session.flush()  # what the browser brought to the sign-in page is not kept
    login(request, user, backend=STAFF_BACKEND)
    django_otp.login(request, device)
    note_sign_in(user=user, origin=origin_of(request), now=now)


def _pending(request: HttpRequest) -> _Pending | None:
    kept = request.session.get(_PENDING)
    if not kept or clock.now() - datetime.fromisoformat(kept["at"]) > PASSWORD_GOOD_FOR:
        return None
    user = get_user_model().objects.filter(pk=kept["user"], is_active=True, is_staff=True).first()
    if user is None or not constant_time_compare(kept["hash"], user.get_session_auth_hash()):
        return None
    return _Pending(user, own_path(kept["next"], "/admin/"))


def _qr(device: TOTPDevice) -> SafeString:
    image = qrcode.make(device.config_url, image_factory=qrcode.image.svg.SvgPathImage, border=2)
    drawn = re.sub(
        r'width="[^"]+" height="[^"]+"', 'width="100%" height="100%"', image.to_string(encoding="unicode"), count=1
    )
    return mark_safe(drawn)  # noqa: S308 - a drawing made here, of squares alone


def _secret(device: TOTPDevice) -> str:
    plain = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(plain[place : place + 4] for place in range(0, len(plain), 4))
